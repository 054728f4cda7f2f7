import { describe, expect, test } from 'vitest';
import { toBase64url, toHex, utf8 } from '../../test/bytes.js';
import { plaintextIn } from './plaintext.js';

const CANARY = 'Zoë "Z" <Doe>';
const ascii = 'John Doe & Sons';
const bytes = utf8(`${ascii} `);

/** What keeps a value out of its own members. */
class Keeper {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  get value(): string {
    return this.#value;
  }
}

function form(value: string): FormData {
  const data = new FormData();
  data.set('name', value);
  return data;
}

describe('a canary is found', () => {
  const SPELT: Record<string, unknown> = {
    'in a text': `Dear ${CANARY}!`,
    'in a member': { payee: [{ name: CANARY }] },
    'in the name of a member': { [CANARY]: true },
    'in JSON text': JSON.stringify(JSON.stringify({ name: CANARY })),
    'in JSON text with escapes': '{"name":"Zo\\u00eb \\"Z\\" \\u003cDoe\\u003e"}',
    'in JSON text of a path': JSON.stringify({ file: `${ascii}\\x` }),
    'in a URL': `/search?q=${encodeURIComponent(CANARY)}`,
    'in a form': new URLSearchParams({ q: CANARY }).toString(),
    'in a URL with spaces spelt in two ways': '?q=John+Doe%20%26+Sons',
    'in HTML': '<p>Zoë &quot;Z&quot; &lt;Doe&gt;</p>',
    'in HTML with entities by number': '<p>Zo&#235; &#34;Z&#x22; <Doe&#x3E;</p>',
    'in hex': toHex(utf8(`x${CANARY}`)).toUpperCase(),
    'in bytes': utf8(CANARY.repeat(20_000)),
    'in an array buffer': bytes.slice().buffer,
    'in a data view': new DataView(bytes.slice().buffer),
    'in an array of other numbers': new Uint16Array(bytes.slice().buffer),
    'in a URL object': new URL(`https://example.com/?q=${encodeURIComponent(CANARY)}`),
    'in a form object': form(CANARY),
    'in a text as an object': Object(CANARY),
    'under a symbol': { [Symbol('name')]: CANARY },
    'in the name of a symbol': { [Symbol(CANARY)]: 1 },
    'in an accessor of a class': new Keeper(CANARY),
    'in what an object is in JSON': { toJSON: () => ({ name: CANARY }) },
    'in headers': new Headers({ 'x-name': ascii }),
    'in a map': new Map([[ascii, 1]]),
    'in the key of a map': new Map([[{ name: ascii }, 1]]),
    'in a set': new Set([ascii]),
    'in the message of an error': new Error(`no ${CANARY}`),
    'in the cause of an error': new Error('no', { cause: { name: CANARY } }),
    'in the errors of an error': new AggregateError([new Error(CANARY)]),
    'in a member of an error that is not enumerable': Object.defineProperty(new Error('no'), 'body', {
      value: CANARY,
    }),
  };

  test.each(Object.entries(SPELT))('%s', (_, value) => {
    expect(plaintextIn(value, CANARY, ascii)).toMatch(/^canary [12] stands /);
    expect(plaintextIn(value, 'somebody else')).toBeUndefined();
  });

  test.each([0, 1, 2, 3, 4])('in base64 and base64url with %i bytes before it', (before) => {
    const url = toBase64url(utf8(`${'>'.repeat(before)}${CANARY}?>?`));
    expect(plaintextIn({ token: url }, CANARY)).toContain('base64');
    expect(plaintextIn({ token: url.replaceAll('-', '+').replaceAll('_', '/') }, CANARY)).toContain('base64');
  });
});

test.each(['line one\nline two', 'a\tb\tc\td', '-----BEGIN KEY-----\r\n"MII\\abc"\r\n'])(
  'the canary %j is found in JSON text, however often it was made that of',
  (canary) => {
    let text = canary;
    for (const _ of [1, 2, 3]) {
      text = JSON.stringify({ note: text });
      expect(plaintextIn(text, canary)).toContain('as JSON text');
    }
    expect(plaintextIn('"line\\u0020one\\u000aline two"', 'line one\nline two')).toContain('as JSON text');
    expect(plaintextIn(text, 'somebody\nelse')).toBeUndefined();
  },
);

test('a canary with a plus sign is found in a URL, encoded or not', () => {
  for (const text of ['q=%2B44+7700+900000', 'q=+44%207700%20900000', 'q=%2b44%207700+900000'])
    expect(plaintextIn(text, '+44 7700 900000')).toContain('percent-encoded');
});

test('what HTML does not know stays what it is', () => {
  expect(plaintextIn('&nothing; &#x110000; &constructor;', 'somebody else')).toBeUndefined();
});

test('numbers are canaries and found', () => {
  expect(plaintextIn({ amount: 12345678 }, '12345678')).toContain('$.amount');
  expect(plaintextIn({ amount: '12345678' }, 12345678)).toContain('$.amount');
});

test('a value that contains itself is gone through once', () => {
  const value: Record<string, unknown> = { a: 1 };
  value.self = value;
  expect(plaintextIn(value, CANARY)).toBeUndefined();
});

test('an accessor that throws, and an object without a form, keep nothing else from being found', () => {
  const value = Object.create(null, {
    a: { enumerable: true, get: () => Reflect.apply(CANARY.at, null, []) },
    b: { enumerable: true, value: { toJSON: () => Reflect.apply(CANARY.at, null, []), name: CANARY } },
  });
  expect(plaintextIn(value, CANARY)).toContain('at $.b.name');
});

test('what is said holds no canary', () => {
  expect(plaintextIn({ payee: CANARY }, 'nobody', CANARY)).toBe('canary 2 stands as it is at $.payee');
});

describe('a value that shows what it holds only later is refused, and is not searched in vain:', () => {
  const request = { method: 'POST', body: CANARY };
  const LATER: Record<string, () => unknown> = {
    'a response': () => new Response(CANARY),
    'a request': () => new Request('https://example.com', request),
    'a blob': () => new Blob([CANARY]),
    'a file in a form': () => {
      const data = form('none');
      data.set('file', new File([CANARY], 'name.txt'));
      return data;
    },
    'a stream': () => new Blob([CANARY]).stream(),
    'a promise': () => Promise.resolve(CANARY),
    'an iterator': () => [CANARY].values(),
  };

  test.each(Object.entries(LATER))('%s', (_, make) => {
    expect(() => plaintextIn(make(), CANARY)).toThrow(TypeError);
    expect(() => plaintextIn({ a: [make()] }, CANARY)).toThrow(/ at \$\.a\.0.*: (?:await it|read it first)$/);
  });

  test('a function, but for those within a value', () => {
    expect(() => plaintextIn(() => CANARY, CANARY)).toThrow('call it first');
    expect(plaintextIn({ run: () => CANARY, name: 'none' }, CANARY)).toBeUndefined();
  });

  test('what is nested too deep', () => {
    let value: unknown = CANARY;
    for (let depth = 0; depth < 50_000; depth += 1) value = [value];
    expect(() => plaintextIn(value, CANARY)).toThrow(/^The value is nested deeper/);
  });
});

test('a search that proves nothing is refused', () => {
  for (const args of [[undefined, CANARY], [null, CANARY], [{}], [{}, ''], [{}, '12345']] as const)
    expect(() => plaintextIn(...(args as unknown as [unknown]))).toThrow(TypeError);
});
