import { createKeyRing } from '@e2ee/core';
import { fileKeyStore } from '@e2ee/core/node';
import { Command, InvalidArgumentError } from 'commander';
import { createMerchant } from './merchant.js';

interface Options {
  readonly port: number;
  readonly keys: string;
  readonly bank: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const command = new Command('merchant')
  .description(
    'Runs the example shop on this machine until Ctrl+C. It pays through apps/bank: start that first.',
  )
  .requiredOption('--bank <url>', 'where the bank listens')
  .requiredOption('--client-secret <text>', 'what the bank printed')
  .option('--client-id <text>', 'how the shop is registered there', 'example-shop')
  .option('--port <number>', 'port to listen on; 0 takes any free one', portNumber, 0)
  .option('--keys <directory>', 'where the shop keeps its private keys', 'keys')
  .action(run);

async function run({ port, keys, bank, clientId, clientSecret }: Options): Promise<void> {
  const account = { name: 'Leaf & Pot Ltd', account_number: '31510604', sort_code: '400530' };
  const keyRing = await createKeyRing({ store: fileKeyStore(keys) });
  const app = await createMerchant({ keyRing, bank: { url: bank, clientId, clientSecret, account } });
  await app.listen(port, '127.0.0.1');
  process.stdout.write(welcome(await app.getUrl()));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
}

function welcome(url: string): string {
  return `The shop listens on ${url}

  public keys   curl ${url}/.well-known/jwks.json
  products      curl ${url}/products
  health        curl ${url}/health

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
