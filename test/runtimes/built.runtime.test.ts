import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { e2ee } from '@e2ee/axios-interceptor';
import {
  banked,
  createE2eeClient,
  createE2eeServer,
  createKeyRing,
  decryptJwe,
  type E2eeRequest,
  type E2eeServer,
  encryptJwe,
  importKey,
  type KeyRing,
  remoteJwks,
  staticKeys,
} from '@e2ee/core';
import { fileKeyStore } from '@e2ee/core/node';
import { e2ee as e2eeFetch } from '@e2ee/fetch';
import axios from 'axios';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textOf, toBase64url, utf8 } from '../../packages/core/test/bytes.js';
import { RFC7516_A1 } from '../../packages/core/test/jwe-vectors.js';
import { CERTIFICATE } from '../../packages/core/test/keys-fixtures.js';
import { P256, RSA, X25519 } from '../../packages/core/test/stored-keys.js';

/* What users do with the built packages, in the runtime that runs this. */

const [pair] = RSA;
const PLAINTEXT = '{"name":"John Doe"}';
const SESSION = { payee: { name: 'John Doe' }, mandate_id: 'm-1' };
const PATH = '/v2/payment_sessions';

it('runs in the runtime that was asked for', () => {
  const { bun, deno } = process.versions;
  const runtime = bun ? 'bun' : deno ? 'deno' : 'node';
  expect(runtime).toBe(process.env.E2EE_RUNTIME ?? 'node');
});

it('imports the packages as they were built', () => {
  expect(createRequire(import.meta.url).resolve('@e2ee/core')).toMatch(/dist\/index\.js$/);
});

describe('keys and tokens', () => {
  it.each([
    ['SPKI and PKCS#8', pair.spki, pair.pkcs8],
    ['PKCS#1', pair.publicPkcs1, pair.privatePkcs1],
    ['JWK', pair.publicJwk, pair.privateJwk],
    ['SPKI and PKCS#8 on P-256', P256.spki, P256.pkcs8],
    ['JWK on P-256', P256.publicJwk, P256.privateJwk],
    ['SPKI and PKCS#8 on X25519', X25519.spki, X25519.pkcs8],
    ['JWK on X25519', X25519.publicJwk, X25519.privateJwk],
  ])('go round by %s', async (_, publicKey, privateKey) => {
    const token = await encryptJwe(utf8(PLAINTEXT), await importKey(publicKey));
    const algs = ['RSA-OAEP-256', 'ECDH-ES+A256KW'] as const;
    const { plaintext } = await decryptJwe(token, await importKey(privateKey), { algs });
    expect(textOf(plaintext)).toBe(PLAINTEXT);
  });

  it('take the key of a certificate', async () => {
    expect(await importKey(CERTIFICATE)).toMatchObject({ kind: 'encryption', alg: 'RSA-OAEP-256' });
  });

  it('are refused when they are not acceptable', async () => {
    const key = await importKey(pair.privateJwk);
    const [, ...rest] = (await encryptJwe(utf8(PLAINTEXT), await importKey(pair.spki))).split('.');
    const withHeader = (header: object): string =>
      [toBase64url(utf8(JSON.stringify(header))), ...rest].join('.');
    const good = { alg: 'RSA-OAEP-256', enc: 'A256GCM' };
    for (const token of [
      'a.b.c.d.e',
      withHeader({ ...good, alg: 'none' }),
      withHeader({ ...good, zip: 'DEF' }),
      withHeader({ ...good, kid: 'other' }), // authenticated, so that it must not change
      RFC7516_A1.token,
    ]) {
      await expect(decryptJwe(token, key)).rejects.toMatchObject({ code: 'token_invalid', status: 400 });
    }
  });

  it('are kept in files', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'e2ee-runtime-'));
    try {
      const store = fileKeyStore(directory, { passphrase: 'a passphrase' });
      const ring = await createKeyRing({ store });
      const again = await createKeyRing({ store: fileKeyStore(directory, { passphrase: 'a passphrase' }) });
      expect(again.jwks()).toEqual(ring.jwks());
      for (const one of [ring, again]) one.close();
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

it('a policy is carried out at both ends, without a socket', async () => {
  const own = await importKey(pair.privateJwk, { kid: 'bank' });
  const keyRing = await createKeyRing({ keys: own });
  const client = createE2eeClient({
    profile: banked,
    encryptionKeys: staticKeys(await importKey(pair.publicJwk, { kid: 'bank' })),
    keyRing,
  });
  const recipient = {
    id: 'shop',
    response: 'encrypt',
    encryptionKeys: staticKeys(await importKey(pair.publicJwk, { kid: 'bank' })),
  } as const;
  const server = createE2eeServer({ profile: banked, keyRing, recipient: () => recipient });
  const request = { method: 'POST', path: PATH, headers: {}, body: SESSION };
  const sent = await client.encryptRequest(request);
  expect(JSON.stringify(sent)).not.toContain('John Doe');
  expect((await server.decryptRequest(sent)).body).toEqual(SESSION);
  const answered = await server.protectResponse(sent, { status: 200, headers: {}, body: SESSION });
  expect(JSON.stringify(answered)).not.toContain('John Doe');
  expect((await client.decryptResponse(request, answered)).body).toEqual(SESSION);
});

describe('over a loopback socket', () => {
  let keyRing: KeyRing;
  let url: string;
  let stop = (): void => {};

  beforeAll(async () => {
    keyRing = await createKeyRing({ profile: banked });
    const recipient = async () =>
      ({
        id: 'shop',
        response: 'encrypt',
        encryptionKeys: staticKeys(await importKey(pair.publicJwk)),
      }) as const;
    const end = createE2eeServer({ profile: banked, keyRing, recipient, onEvent: () => {} });
    const server = createServer((request, response) => void answer(end, request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has no other kind of address
    stop = () => {
      server.close();
      server.closeAllConnections();
      keyRing.close();
    };
  });
  afterAll(() => stop());

  /** What makes the keys that the client end holds useless. */
  async function replaceKeys(): Promise<void> {
    const [published] = keyRing.jwks().keys;
    await keyRing.rotate();
    await keyRing.revoke(String(published?.kid));
  }

  async function clientOptions() {
    const encryptionKeys = remoteJwks(`${url}${banked.publication.path}`, { cooldown: 0 });
    return {
      profile: banked,
      encryptionKeys,
      keyRing: await createKeyRing({ keys: await importKey(pair.privateJwk) }),
    };
  }

  it('fetch goes round, follows a rotation and recovers from a rejected key', async () => {
    const client = createE2eeClient({ ...(await clientOptions()), onEvent: () => {} });
    const request = {
      method: 'POST',
      path: PATH,
      headers: { 'content-type': 'application/json' },
      body: SESSION,
    };
    const call = async () => {
      const sent = await client.encryptRequest(request);
      const got = await fetch(`${url}${PATH}`, {
        method: 'POST',
        headers: sent.headers,
        body: JSON.stringify(sent.body),
      });
      return {
        sent,
        got: { status: got.status, headers: Object.fromEntries(got.headers), body: await got.json() },
      };
    };
    const first = await call();
    expect(first.got.status).toBe(201);
    expect((await client.decryptResponse(request, first.got)).body).toEqual(SESSION);
    await replaceKeys();
    const rejected = await call();
    expect(rejected.got.status).toBe(422);
    expect(await client.recoverFrom(rejected.sent, rejected.got)).toBe(true);
    const again = await call();
    expect((await client.decryptResponse(request, again.got)).body).toEqual(SESSION);
  });

  it.each(['fetch', 'http'])('axios does so by itself, over its %s adapter', async (adapter) => {
    const api = axios.create({ baseURL: url, adapter });
    e2ee(api, { ...(await clientOptions()), onEvent: () => {} });
    expect((await api.post(PATH, SESSION)).data).toEqual(SESSION);
    await replaceKeys();
    expect((await api.post(PATH, SESSION)).data).toEqual(SESSION);
  });

  it('@e2ee/fetch does so by itself', async () => {
    const api = e2eeFetch({ ...(await clientOptions()), onEvent: () => {} });
    const body = JSON.stringify(SESSION);
    const headers = { 'content-type': 'application/json' };
    const call = async (): Promise<unknown> =>
      (await api(`${url}${PATH}`, { method: 'POST', headers, body })).json();
    expect(await call()).toEqual(SESSION);
    await replaceKeys();
    expect(await call()).toEqual(SESSION);
  });
});

/** A server that answers with what it was sent. */
async function answer(end: E2eeServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const { method = '', url: path = '' } = request;
  const headers = { 'content-type': String(request.headers['content-type'] ?? 'application/json') };
  const received: E2eeRequest = { method, path, headers, ...(text && { body: JSON.parse(text) }) };
  const answered = (await end.publishedKeys(received)) ?? (await echo(end, received));
  response.writeHead(answered.status, { ...answered.headers, 'content-type': 'application/json' });
  response.end(JSON.stringify(answered.body));
}

async function echo(end: E2eeServer, received: E2eeRequest): ReturnType<E2eeServer['protectResponse']> {
  try {
    const { body } = await end.decryptRequest(received);
    return await end.protectResponse(received, { status: 201, headers: {}, body });
  } catch (error) {
    return end.errorResponse(error);
  }
}
