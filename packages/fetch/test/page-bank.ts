import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  banked,
  bodyText,
  createE2eeServer,
  createKeyRing,
  type E2eeResponse,
  importKey,
  staticKeys,
} from '@e2ee/core';
import type { TestProject } from 'vitest/node';
import { RSA } from '../../core/test/stored-keys.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a bank of another origin than the tests' page, without a slash at its end. */
    readonly pageBank: string;
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** What a page of another origin needs to send JSON, and to see what it is answered. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT',
  'access-control-allow-headers': '*',
  'access-control-expose-headers': '*',
};

/**
 * Vitest's `globalSetup` of a project that runs in a browser: a bank that answers with what it was sent, encrypted to the
 * second of the stored keys. `/rotate` makes it forget its key, `/seen` tells which bodies have come since it was asked last,
 * `?moved` leads to the same place without it.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  const keyRing = await createKeyRing();
  const encryptionKeys = staticKeys(await importKey(RSA[1].publicJwk));
  const recipient = { id: 'page', response: 'encrypt', encryptionKeys } as const;
  const end = createE2eeServer({ profile: banked, keyRing, recipient: () => recipient, onEvent: () => {} });
  const seen: string[] = [];

  async function rotate(): Promise<E2eeResponse> {
    const [published] = keyRing.jwks().keys;
    await keyRing.rotate();
    await keyRing.revoke(String(published?.kid));
    return { status: 204, headers: {} };
  }

  async function answerTo(request: IncomingMessage): Promise<E2eeResponse> {
    const { method = '', url: path = '', headers } = request;
    if (method === 'OPTIONS') return { status: 204, headers: {} };
    if (path === '/rotate') return rotate();
    if (path === '/seen') return { status: 200, headers: JSON_TYPE, body: seen.splice(0) };
    if (path.endsWith('?moved')) return { status: 307, headers: { location: path.replace('?moved', '') } };
    const body = await text(request);
    const type = { 'content-type': String(headers['content-type'] ?? '') };
    const received = { method, path, headers: type, ...(body && { body }) };
    const keys = await end.publishedKeys(received);
    if (keys) return keys;
    seen.push(body);
    const opened = await end.decryptRequest(received);
    return end.protectResponse(opened, {
      status: 201,
      headers: { ...JSON_TYPE, etag: '"e"' },
      body: opened.body,
    });
  }

  const server = createServer(async (request, response) => {
    const answer = await answerTo(request).catch((error: unknown) => end.errorResponse(error));
    response.writeHead(answer.status, { ...answer.headers, ...CORS }).end(bodyText(answer));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has no other kind of address
  project.provide('pageBank', `http://127.0.0.1:${port}`);
  return function stop() {
    server.close();
    server.closeAllConnections();
    keyRing.close();
  };
}
