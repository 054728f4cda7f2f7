import { expect, test } from 'vitest';
import { buildPage } from '../build-page.js';
import { aggregatorOrigin } from './aggregator-url.js';
import { createConnectServer } from './server.js';

test.each([
  'https://api.example',
  'https://api.example/',
  'http://127.0.0.1:8059',
  'HTTPS://API.example:443',
])('%s is the URL of an aggregator', (url) => {
  expect(aggregatorOrigin(url)).toBe(new URL(url).origin);
});

test.each([
  ['https://api.example/2.0', 'must end with its host: https://api.example, without /2.0'],
  ['https://api.example/?a', 'without /?a'],
  ['https://api.example/#a', 'without /#a'],
  ['https://me:canary@api.example', 'must not hold a user or a password'],
  ['file:///tmp', 'must be http or https, not file:'],
  ['api.example', 'Invalid URL'],
])('%s is refused: what would be left of it is another', async (url, message) => {
  expect(() => aggregatorOrigin(url)).toThrow(message);
  expect(() => createConnectServer({ page: '.', aggregatorUrl: url })).toThrow(message);
  await expect(buildPage(url, '/nowhere')).rejects.toThrow(message);
});
