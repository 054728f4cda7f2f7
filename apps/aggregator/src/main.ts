import type { AddressInfo } from 'node:net';
import { createKeyRing } from '@e2ee/core';
import { fileKeyStore } from '@e2ee/core/node';
import { Command, InvalidArgumentError } from 'commander';
import { createAggregator } from './aggregator.js';

interface Options {
  readonly port: number;
  readonly keys: string;
}

const command = new Command('aggregator')
  .description('Runs the example aggregator on this machine until Ctrl+C.')
  .option('--port <number>', 'port to listen on; 0 takes any free one', portNumber, 0)
  .option('--keys <directory>', 'where the aggregator keeps its private keys', 'keys')
  .action(run);

async function run({ port, keys }: Options): Promise<void> {
  const app = createAggregator({ keyRing: await createKeyRing({ store: fileKeyStore(keys) }) });
  const server = app.listen(port, '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  const { port: taken } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  process.stdout.write(welcome(`http://127.0.0.1:${taken}`));
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
    });
}

function welcome(url: string): string {
  return `The aggregator listens on ${url}

  public key    curl ${url}/publickey
  connectors    curl ${url}/connectors
  a new user    curl -X POST ${url}/auth/init

Ctrl+C stops it.
`;
}

function portNumber(value: string): number {
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a whole number up to 65535.');
}

command.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
