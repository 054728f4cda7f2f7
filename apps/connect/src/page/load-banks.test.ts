import type { RequestListener } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { type Listening, listen } from '../server/server.js';
import { loadBanks } from './load-banks.js';

let server: Listening | undefined;
afterEach(() => server?.close());

async function load(answer: RequestListener): Promise<unknown> {
  server = await listen(answer);
  return loadBanks(server.url, 200);
}

test('the banks that the server tells', async () => {
  const banks = [{ id: 1, name: 'B', fields: [{ name: 'a', label: 'A', type: 'text', required: true }] }];
  expect(await load((_, res) => res.end(JSON.stringify({ connectors: banks })))).toEqual(banks);
});

test('a server that does not answer is not waited for any longer', async () => {
  expect(await load(() => {})).toEqual({ by: 'page', code: 'server_timeout' });
});

test('a description that cannot be right', async () => {
  const refused = { by: 'page', code: 'description_refused' };
  expect(await load((_, res) => res.end('{"connectors":[{}]}'))).toEqual(refused);
});
