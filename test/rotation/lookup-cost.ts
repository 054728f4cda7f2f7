import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKeyRing, remoteJwks } from '@e2ee/core';

/*
 * What a key lookup costs when the keys are at hand: `node --conditions=@e2ee/source --import tsx
 * test/rotation/lookup-cost.ts`. Prints the median of rounds, in microseconds.
 */

const ROUNDS = 60;
const LOOKUPS = 5_000;

async function median(lookUp: () => unknown): Promise<number> {
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    for (let i = 0; i < LOOKUPS; i += 1) await lookUp();
    costs.push(((performance.now() - start) / LOOKUPS) * 1000);
  }
  return costs.toSorted((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN;
}

function medianOfSync(lookUp: () => unknown): Promise<number> {
  return median(() => {
    lookUp();
  });
}

const ring = await createKeyRing();
for (let i = 0; i < 3; i += 1) await ring.rotate();
const kids = ring.decryptionKeys().map(({ kid }) => kid);

let fetches = 0;
const server = createServer((_request, response) => {
  fetches += 1;
  response.setHeader('content-type', 'application/json').end(JSON.stringify(ring.jwks()));
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const keys = remoteJwks(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`); // it listens on TCP
await keys.current();

const show = (what: string, cost: number): void => console.log(`${what}: ${cost.toFixed(2)} µs`);
show('await nothing (the cost of the loop)', await median(() => undefined));
show('await encryptionKeys.current()', await median(() => keys.current()));
show(
  `keyRing.find(kid), the newest of ${kids.length} keys`,
  await medianOfSync(() => ring.find(kids[0] ?? '')),
);
show('keyRing.find(kid), the oldest', await medianOfSync(() => ring.find(kids.at(-1) ?? '')));
show('keyRing.find(kid), an unknown one', await medianOfSync(() => ring.find('unknown')));
console.log(`fetches in all: ${fetches}`);
server.closeAllConnections();
server.close();
