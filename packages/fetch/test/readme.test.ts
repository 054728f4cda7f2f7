import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { banked, bodyText, createE2eeServer, createKeyRing, type E2eeResponse } from '@e2ee/core';
import { afterAll, beforeAll, expect, test } from 'vitest';

const seen: string[] = [];
let directory: string;
let server: Server;

beforeAll(async () => {
  // Within the package, so that what it imports is found as a user's project finds it.
  directory = await mkdtemp(join(import.meta.dirname, '.readme-'));
  const end = createE2eeServer({ profile: banked, keyRing: await createKeyRing(), onEvent: () => {} });
  const answerTo = async (request: IncomingMessage): Promise<E2eeResponse> => {
    const { method = '', url: path = '' } = request;
    const body = await text(request);
    const received = { method, path, headers: { 'content-type': 'application/json' }, ...(body && { body }) };
    const keys = await end.publishedKeys(received);
    if (keys) return keys;
    seen.push(body);
    const opened = await end.decryptRequest(received);
    const headers = { 'content-type': 'application/json' };
    return end.protectResponse(opened, { status: 201, headers, body: opened.body });
  };
  server = createServer(async (request, response) => {
    const answer = await answerTo(request).catch((error: unknown) => end.errorResponse(error));
    response.writeHead(answer.status, { ...answer.headers }).end(bodyText(answer));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
});

test('the client of the README talks encrypted, in about 15 lines', async () => {
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8');
  const code = /^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? '';
  expect(code.trim().split('\n').length).toBeLessThanOrEqual(15);
  const { port } = server.address() as AddressInfo; // a TCP server has no other kind of address
  const file = join(directory, 'client.ts');
  await writeFile(file, code.replace('https://api.banked.com', `http://127.0.0.1:${port}`));
  const args = ['--conditions=@e2ee/source', '--import', './scripts/run-typescript.mjs', file];
  const root = join(import.meta.dirname, '../../..');
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  expect(stdout).toBe("201 { amount: 1999, payee: { name: '[REDACTED]' } }\n");
  expect(seen.map((body) => Object.keys(JSON.parse(body)))).toEqual([['amount', 'encrypted_payee']]);
});
