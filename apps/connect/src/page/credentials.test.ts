import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createKeyRing, decryptJwe, encryptJwe, importKey, type KeyRing } from '@e2ee/core';
import { createAggregator } from '@e2ee-apps/aggregator';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Listening, listen } from '../server/server.js';
import { createSender, type Sender } from './credentials.js';
import { messageFor, whereabouts } from './messages.js';

/* With a server in the middle that answers what it likes, in front of an aggregator whose key is genuine. */

let keyRing: KeyRing;
let aggregator: Listening;
let hostile: Server;
let sender: Sender;
let bodies: Record<string, unknown>[] = [];
let answer: { readonly status: number; readonly body: object };

beforeAll(async () => {
  keyRing = await createKeyRing();
  aggregator = await listen(createAggregator({ keyRing }).callback());
  hostile = createServer(async (req, res) => {
    bodies.push(JSON.parse(await text(req)));
    res.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
  const { port } = hostile.address() as AddressInfo; // it listens on a port, not on a pipe
  sender = createSender({ apiUrl: `http://127.0.0.1:${port}`, aggregatorUrl: aggregator.url });
});
afterAll(async () => {
  hostile.closeAllConnections();
  hostile.close();
  await aggregator.close();
  keyRing.close();
});
beforeEach(() => {
  bodies = [];
  answer = { status: 201, body: { id: 7, state: null, credentials: {} } };
});

/** What anybody can make of the public key. */
async function tokenOf(plain: string): Promise<string> {
  const key = await importKey(await (await fetch(`${aggregator.url}/publickey`)).json());
  return encryptJwe(new TextEncoder().encode(plain), key);
}

/** What the aggregator reads in a token. */
async function opened(token: unknown): Promise<string> {
  const kid = keyRing.describe().find(({ state }) => state === 'active')?.kid ?? '';
  const key = await keyRing.find(kid);
  if (!key) throw new Error('There is no key');
  const { plaintext } = await decryptJwe(String(token), key);
  return new TextDecoder().decode(plaintext);
}

test('a choice is encrypted also when the server has made a token of every choice, and so is a password that is one', async () => {
  const choices = await Promise.all(['mother: Smith', 'mother: Jones'].map(tokenOf));
  const credentials = { maiden_name: choices[1] ?? '', password: await tokenOf('a password') };
  expect(await sender.connect(59, credentials)).toMatchObject({ kind: 'connected' });
  expect(await sender.complete(7, credentials)).toMatchObject({ kind: 'connected' });
  expect(bodies).toHaveLength(2);
  for (const { id_connector, ...sent } of bodies) {
    const known = Object.values({ ...choices, ...credentials });
    for (const token of Object.values(sent)) expect(known).not.toContain(token);
    const read = Object.entries(sent).map(async ([name, token]) => [name, await opened(token)]);
    expect(Object.fromEntries(await Promise.all(read))).toEqual(credentials);
  }
});

test.each(['offline', 'keys_unavailable', 'insecure', 'field_invalid'])(
  'an answer that says "%s" does not make it so: the request was sent',
  async (code) => {
    answer = { status: 400, body: { code } };
    const outcome = await sender.connect(59, { password: 'p' });
    expect(bodies).toHaveLength(1);
    if (outcome.kind !== 'failed') throw new Error('It has not failed');
    expect(whereabouts(messageFor(outcome.failure))).toMatch(/^Nothing was readable on the way.* is erased/);
  },
);

test.each([
  ['half a character', 'a\ud800b', 'field_invalid'],
  ['more than a token may hold', 'x'.repeat(13_000), 'limit_exceeded'],
])('%s is not sent', async (_, password, code) => {
  const outcome = await sender.connect(59, { password });
  expect(outcome).toEqual({ kind: 'failed', failure: { by: 'page', code } });
  expect(bodies).toEqual([]);
});

test('a second step with fields that cannot be right is refused, after the first was sent', async () => {
  const field = { name: 'otp', label: 'Code' };
  answer = { status: 201, body: { id: 7, state: 'more', fields: [field, field], credentials: {} } };
  const outcome = await sender.connect(59, { password: 'p' });
  expect(outcome).toEqual({ kind: 'failed', failure: { by: 'page', code: 'description_refused' } });
});
