import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { e2ee as clientEnd } from '@e2ee/axios-interceptor';
import { createKeyRing, importKey, type Profile, remoteJwks, staticKeys, strict } from '@e2ee/core';
import { e2ee as serverEnd } from '@e2ee/express';
import axios, { type AxiosInstance } from 'axios';
import express from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';

/* The strict profile with Express at one end and Axios at the other, and somebody between who has a copy of everything. */

const profile: Profile = {
  ...strict,
  policy: {
    'POST /orders': { card: { request: 'encrypt', response: 'encrypt' } },
    'POST /refunds': { card: { request: 'encrypt', response: 'encrypt' } },
  },
};
const keyRing = await createKeyRing({ profile });
const ownKeys = await createKeyRing({ profile });
const handled: unknown[] = [];
let server: Server;
let url: string;
let client: AxiosInstance;

beforeAll(async () => {
  const ownKey = await importKey(ownKeys.jwks().keys[0] ?? {});
  const recipient = { id: 'shop', response: 'encrypt', encryptionKeys: staticKeys(ownKey) } as const;
  const app = express();
  app.use(express.json(), serverEnd({ profile, keyRing, recipient: () => recipient, onEvent: () => {} }));
  app.post(['/orders', '/refunds'], (req, res) => {
    handled.push([req.path, req.body]);
    res.status(201).json({ id: handled.length, card: req.body.card });
  });
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port, not on a pipe
  client = axios.create({ baseURL: url, proxy: false });
  const encryptionKeys = remoteJwks(`${url}${profile.publication.path}`);
  clientEnd(client, { profile, encryptionKeys, keyRing: ownKeys, onEvent: () => {} });
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** What the one between sends. */
function send(path: string, body: unknown): Promise<{ status: number; data: unknown }> {
  return axios.post(url + path, body, { proxy: false, validateStatus: () => true });
}

const CARD = { number: '4111 1111', cvc: '007' };
const REFUSED = { status: 400, data: { error: { code: 'token_invalid' } } };

test('a call goes there and back, and its copy is good for nothing', async () => {
  const { status, data, config } = await client.post('/orders', { card: CARD });
  expect([status, data]).toEqual([201, { id: 1, card: CARD }]);
  expect(handled).toEqual([['/orders', { card: CARD }]]);
  const copy = JSON.parse(String(config.data));
  expect(await send('/orders', copy)).toMatchObject(REFUSED);
  expect(await send('/refunds', copy)).toMatchObject(REFUSED);
  expect(handled).toHaveLength(1);
});

test('an answer to another call is refused by the one who gets it', async () => {
  const answers: string[] = [];
  const swapping = axios.create({
    baseURL: url,
    proxy: false,
    // The one between: hands out the first answer twice.
    adapter: async (config) => {
      const answer = await axios.getAdapter('http')(config);
      answers.push(answer.data);
      return { ...answer, data: answers[0] };
    },
  });
  const encryptionKeys = remoteJwks(`${url}${profile.publication.path}`);
  clientEnd(swapping, { profile, encryptionKeys, keyRing: ownKeys, onEvent: () => {} });
  expect((await swapping.post('/orders', { card: CARD })).data.card).toEqual(CARD);
  await expect(swapping.post('/orders', { card: CARD })).rejects.toMatchObject({ code: 'token_invalid' });
});
