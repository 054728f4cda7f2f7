import { describe, expect, it } from 'vitest';
import { party, post, twoEnds } from '../../test/two-ends.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { banked } from '../profiles/banked.js';
import type { Limits } from './limits.js';
import type { E2eeRequest } from './message.js';

const POLICY = {
  'POST /lists': { 'items.#.a': { request: 'encrypt', response: 'none' } },
  'POST /fields': { a: { request: 'encrypt', response: 'none' } },
  'POST /messages': { $: { request: 'encrypt', response: 'none' } },
} as const;

async function token(text: string, header: Readonly<Record<string, string>> = {}): Promise<string> {
  const { encryptionKey } = await party('bank');
  return encryptJwe(new TextEncoder().encode(text), encryptionKey, { header });
}

/** Lists inside one another: the innermost is so deep. */
function nested(depth: number): unknown {
  return depth === 1 ? [] : [nested(depth - 1)];
}

const field = (encrypted_a: unknown): E2eeRequest => post('/fields', { encrypted_a });
const message = (body: string): E2eeRequest =>
  post('/messages', body, { 'content-type': 'application/jose' });

/** A request of exactly such a size, by the limit that it comes up to. */
const OF_SIZE: Readonly<
  Record<
    Exclude<keyof Limits, 'concurrency' | 'queue'>,
    { readonly size: number; readonly make: (size: number) => Promise<E2eeRequest>; readonly code: string }
  >
> = {
  tokens: {
    size: 3,
    make: async (size) => {
      const encrypted_a = await token('1');
      return post('/lists', { items: Array.from({ length: size }, () => ({ encrypted_a })) });
    },
    code: 'limit_exceeded',
  },
  elements: {
    size: 1_000,
    make: async (size) => post('/lists', { items: Array.from({ length: size }, () => ({})) }),
    code: 'limit_exceeded',
  },
  depth: {
    size: 9,
    make: async (size) => field(await token(JSON.stringify(nested(size)))),
    code: 'token_invalid',
  },
  headerBytes: {
    size: 300,
    make: async (size) => {
      const [head = ''] = (await token('1', { pad: '' })).split('.');
      return field(await token('1', { pad: 'x'.repeat(size - atob(head).length) }));
    },
    code: 'token_invalid',
  },
  tokenLength: {
    size: 700,
    make: async (size) => field(await ofLength(size)),
    code: 'token_invalid',
  },
  messageLength: { size: 701, make: async (size) => message(await ofLength(size)), code: 'token_invalid' },
};

/** A token of so many characters. The header is padded where no length of content gives it: four characters are three bytes. */
async function ofLength(length: number): Promise<string> {
  for (const pad of ['', 'x', 'xx']) {
    const shortest = (await token('""', { pad })).length;
    for (
      let more = Math.floor(((length - shortest) * 3) / 4) - 2;
      more * 4 <= (length - shortest + 4) * 3;
      more += 1
    ) {
      const made = await token(JSON.stringify('y'.repeat(Math.max(0, more))), { pad });
      if (made.length === length) return made;
    }
  }
  throw new Error(`There is no token of ${length} characters`);
}

describe('a request up to the limit', () => {
  for (const [name, { size, make, code }] of Object.entries(OF_SIZE)) {
    it.each([
      [size - 1, 'taken'],
      [size, 'taken'],
      [size + 1, code],
    ])(`${name}: ${size} is, with %i, %s`, async (given, outcome) => {
      const { server, operations } = await twoEnds({
        profile: { ...banked, message: { contentType: 'application/jose' } },
        policy: POLICY,
        server: { limits: { [name]: size } },
      });
      const happened = await server.decryptRequest(await make(given)).then(
        () => 'taken',
        (error) => error.code,
      );
      expect(happened).toBe(outcome);
      if (name !== 'depth') expect(operations() > 0).toBe(outcome === 'taken' && name !== 'elements');
    });
  }

  it('of tokens hides nothing behind members that are open: the plain value after them is refused', async () => {
    const names = Array.from({ length: 80 }, (_, i) => `open${i}`);
    const rows = Object.fromEntries(names.map((name) => [name, { request: 'none' }] as const));
    const policy = { 'POST /all': { '*': { request: 'encrypt' }, ...rows } } as const;
    const { server } = await twoEnds({ policy });
    const body = { ...Object.fromEntries(names.map((name) => [name, 1])), secret: 'plain' };
    await expect(server.decryptRequest(post('/all', body))).rejects.toMatchObject({
      code: 'plaintext_refused',
    });
  });

  it('of array elements is what the client end keeps as well', async () => {
    const { client } = await twoEnds({ policy: POLICY, client: { limits: { elements: 2 } } });
    const items = [{}, {}];
    await expect(client.encryptRequest(post('/lists', { items }))).resolves.toBeDefined();
    await expect(client.encryptRequest(post('/lists', { items: [...items, {}] }))).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: 'An array on the way to `items.#.a` has more than 2 elements',
      path: 'items.#.a',
    });
  });

  it('of array elements is for those on the way to a field: other arrays are as long as they like', async () => {
    const { server } = await twoEnds({ policy: POLICY, server: { limits: { elements: 2 } } });
    const body = { items: [{ tags: [1, 2, 3] }], tags: [1, 2, 3] };
    await expect(server.decryptRequest(post('/lists', body))).resolves.toMatchObject({ body });
  });

  it('of array elements does not bind what comes back: a list may be long', async () => {
    const policy = { 'GET /lists': { '#.a': { request: 'none', response: 'redact' } } } as const;
    const { client } = await twoEnds({ policy });
    const body = Array.from({ length: 1_500 }, () => ({ a: '[REDACTED]' }));
    const response = { status: 200, headers: {}, body };
    await expect(
      client.decryptResponse({ method: 'GET', path: '/lists', headers: {} }, response),
    ).resolves.toMatchObject({ body });
  });
});
