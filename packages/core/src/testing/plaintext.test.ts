import { describe, expect, test } from 'vitest';
import { toBase64url, toHex, utf8 } from '../../test/bytes.js';
import { plaintextIn } from './plaintext.js';

const CANARY = 'Zoë "Z" <Doe>';
const ascii = 'John Doe & Sons';

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
    'in HTML': '<p>Zoë &quot;Z&quot; &lt;Doe&gt;</p>',
    'in hex': toHex(utf8(`x${CANARY}`)).toUpperCase(),
    'in bytes': utf8(CANARY.repeat(20_000)),
    'in headers': new Headers({ 'x-name': ascii }),
    'in a map': new Map([[ascii, 1]]),
    'in a set': new Set([ascii]),
    'in the message of an error': new Error(`no ${CANARY}`),
    'in the cause of an error': new Error('no', { cause: { name: CANARY } }),
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

test('numbers are canaries and found', () => {
  expect(plaintextIn({ amount: 12345678 }, '12345678')).toContain('$.amount');
  expect(plaintextIn({ amount: '12345678' }, 12345678)).toContain('$.amount');
});

test('a value that contains itself is gone through once', () => {
  const value: Record<string, unknown> = { a: 1 };
  value.self = value;
  expect(plaintextIn(value, CANARY)).toBeUndefined();
});

test('what is said holds no canary', () => {
  expect(plaintextIn({ payee: CANARY }, 'nobody', CANARY)).toBe('canary 2 stands as it is at $.payee');
});

test('a search that proves nothing is refused', () => {
  for (const args of [[undefined, CANARY], [null, CANARY], [{}], [{}, ''], [{}, '12345']] as const)
    expect(() => plaintextIn(...(args as unknown as [unknown]))).toThrow(TypeError);
});
