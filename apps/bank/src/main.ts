import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createKeyRing, type Recipient } from '@e2ee/core';
import { fileKeyStore } from '@e2ee/core/node';
import { createBank } from './bank.js';
import { listen } from './listen.js';

const HELP = `Runs the example bank on this machine until Ctrl+C.

  pnpm --filter @e2ee-apps/bank start [options]

  --port NUMBER        port to listen on (default: any free one)
  --keys DIRECTORY     where the bank keeps its private keys (default: keys)
  --public-key FILE    your RSA public key in PEM (PKCS#1 or SPKI), for encrypted answers
  --response CHOICE    redact (default), encrypt, or message; the last two need --public-key
  --algorithm NAME     what signs access tokens: ES256 (default) or RS256
  --help               shows this
`;

const OPTIONS = {
  port: { type: 'string', default: '0' },
  keys: { type: 'string', default: 'keys' },
  'public-key': { type: 'string' },
  response: { type: 'string', default: 'redact' },
  algorithm: { type: 'string', default: 'ES256' },
  help: { type: 'boolean', default: false },
} as const;

const CLIENT_ID = 'example-shop';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const clientSecret = randomBytes(24).toString('base64url');
  const path = values['public-key'];
  const app = await createBank({
    keyRing: await createKeyRing({ store: fileKeyStore(values.keys) }),
    accessTokens: { algorithm: oneOf(values.algorithm, ['ES256', 'RS256'], '--algorithm') },
    partners: [
      {
        clientId: CLIENT_ID,
        clientSecret,
        response: oneOf<Recipient['response']>(
          values.response,
          ['redact', 'encrypt', 'message'],
          '--response',
        ),
        ...(path !== undefined && { publicKey: readFileSync(path, 'utf8') }),
      },
    ],
  });
  const bank = await listen(app, portNumber(values.port));
  process.stdout.write(welcome(bank.url, clientSecret));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void bank.close());
}

function welcome(url: string, clientSecret: string): string {
  return `The bank listens on ${url}

  public keys   curl ${url}/.well-known/jwks.json
  access token  curl -u ${CLIENT_ID}:${clientSecret} -d grant_type=client_credentials ${url}/oauth/token
  sessions      curl -u ${CLIENT_ID}:${clientSecret} ${url}/v2/payment_sessions

Ctrl+C stops it.
`;
}

function oneOf<Choice extends string>(value: string, choices: readonly Choice[], option: string): Choice {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw new Error(`${option} must be one of ${choices.join(', ')}, not ${value}`);
  return choice;
}

function portNumber(value: string): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port must be a number up to 65535`);
  return port;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
