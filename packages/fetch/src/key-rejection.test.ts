import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { bodyText, type Profile, perMessageKey, strict } from '@e2ee/core';
import { createTestProvider } from '@e2ee/core/testing';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { e2ee } from './index.js';

/*
 * An operation of which only the answer is encrypted, with a secret that the request brings: its body goes as it came, and
 * has to go once more after a key rejection.
 */
const profile: Profile = {
  ...strict,
  encrypt: { alg: 'ECDH-ES+A256KW', enc: 'A256GCM' },
  perMessageKey: perMessageKey(),
  policy: { 'POST /uploads': { secret: { response: 'encrypt' } } },
};
const recipient = { id: 'shop', response: 'encrypt' } as const;
const provider = await createTestProvider({ profile, recipient: () => recipient, onEvent: () => {} });
provider.handle('POST /uploads', ({ body }) => ({ body: { body, secret: 's3cret' } }));

const server = createServer(async (request, response) => {
  const { method = '', url: path = '' } = request;
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  const answer = await provider.send({ method, path, headers, body: (await text(request)) || undefined });
  response.writeHead(answer.status, { ...answer.headers }).end(bodyText(answer));
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/uploads`; // a TCP server has no other kind of address
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const fetch = e2ee({ profile, encryptionKeys: provider.encryptionKeys, onEvent: () => {} });
const POST = { method: 'POST', headers: { 'content-type': 'text/plain' } };
const streamed = (): RequestInit =>
  ({ ...POST, body: new Blob(['up']).stream(), duplex: 'half' }) as RequestInit;
async function* pieces(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('up');
}

beforeEach(async () => {
  await fetch(url, { ...POST, body: 'first' }); // it knows a key now
  await provider.revoke();
});

describe('after a key rejection, a body that goes as it came', () => {
  it.each<[string, () => Parameters<typeof fetch>]>([
    ['a text', () => [url, { ...POST, body: 'up' }]],
    ['bytes', () => [url, { ...POST, body: new TextEncoder().encode('up') }]],
    ['a blob', () => [url, { ...POST, body: new Blob(['up']) }]],
    ['a Request', () => [new Request(url, { ...POST, body: 'up' })]],
    ['a Request with a stream', () => [new Request(url, streamed())]],
    [
      'a Request that was sent before, whose body the options give',
      () => {
        const request = new Request(url, { ...POST, body: 'other' });
        return [request, { body: 'up' }];
      },
    ],
  ])('is sent again, given as %s', async (_, make) => {
    const before = provider.calls.length;
    const response = await fetch(...make());
    expect(await response.json()).toEqual({ body: 'up', secret: 's3cret' });
    expect(provider.calls.slice(before).map(({ wire }) => wire.response?.status)).toEqual([422, 200]);
  });

  it.each<[string, () => Parameters<typeof fetch>]>([
    ['a stream', () => [url, streamed()]],
    ['a Request in place of options', () => [url, new Request(url, { ...POST, body: 'up' })]],
    ['pieces', () => [url, { ...POST, body: pieces(), duplex: 'half' } as never]],
  ])(
    'is gone, given as %s: the answer is that of the server, and the next call knows the key',
    async (_, make) => {
      const before = provider.calls.length;
      const response = await fetch(...make());
      expect([response.status, await response.json()]).toEqual([422, profile.keyRejection.body]);
      expect(provider.calls).toHaveLength(before + 1);
      expect((await fetch(url, { ...POST, body: 'up' })).status).toBe(200);
      expect(provider.calls).toHaveLength(before + 2);
    },
  );
});
