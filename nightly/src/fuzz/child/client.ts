import { staticKeys } from '@e2ee/core';
import { Random } from '../random.js';
import { isProven, secretText } from '../secrets.js';
import { clientRing, PROFILES, type ProfileName, publicKey } from '../setup.js';
import { CALLERS } from './callers.js';
import { checkSecrecy, countHandled, report, tell, watch } from './watch.js';

/* A client to be fuzzed by the answers it gets, in a process of its own: `client.ts <adapter> <profile> <port of the server>`. */

/** What is sent, by operation. */
const BODIES: Readonly<Record<string, (secret: string) => unknown>> = {
  'POST /v2/payment_sessions': (secret) => ({ payee: { name: secret }, mandate_id: secret, amount: 5 }),
  'POST /v2/mandates': (secret) => ({ source: secret, actions: [{ source: { name: secret } }] }),
  'POST /v2/bank_accounts': (secret) => ({ account_number: secret }),
  'POST /v2/messages': (secret) => ({ secret }),
};

/** The values of an answer that must have come encrypted, where plaintext is refused. */
const ENCRYPTED: Readonly<Record<string, readonly string[]>> = {
  'POST /v2/payment_sessions': ['payee', 'mandate_id'],
  'GET /v2/payment_sessions/1': ['payee'],
  'POST /v2/mandates': ['source'],
  'POST /v2/bank_accounts': ['account_number'],
};

async function main([adapter = '', profile = '', port = '']: readonly string[]): Promise<void> {
  const call = CALLERS[adapter]?.({
    profile: PROFILES[profile as ProfileName], // our parent passes no other
    encryptionKeys: staticKeys(await publicKey('server')),
    keyRing: await clientRing(),
    onEvent: checkSecrecy,
  });
  if (!call) throw new Error(`There is no adapter ${adapter}`);
  const outcomeOf = async (id: number, operation: string): Promise<string> => {
    const [method = '', path = ''] = operation.split(' ');
    const url = `http://127.0.0.1:${port}${path}`;
    const body = BODIES[operation]?.(secretText(new Random(id)));
    const called = await call({ method, url, body, headers: { 'x-input': String(id) } });
    if ('failed' in called) return called.failed;
    countHandled();
    if (profile === 'strict') checkData(operation, called.data);
    return String(called.status);
  };
  watch((asked) => {
    if (asked.type !== 'call') return;
    const { id, operation } = asked;
    void outcomeOf(id, operation).then((outcome) => tell({ type: 'called', id, outcome }));
  });
  tell({ type: 'ready', port: 0 });
}

function checkData(operation: string, data: unknown): void {
  if (typeof data !== 'object' || data === null) return;
  for (const name of ENCRYPTED[operation] ?? []) {
    const value: unknown = Object.hasOwn(data, name) ? Reflect.get(data, name) : undefined;
    if (value !== undefined && !isProven(value) && !isRedacted(value))
      report('unproven value', `${operation} ${JSON.stringify(data)}`);
  }
}

function isRedacted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === '[REDACTED]' || value === null;
  return Object.values(value).every(isRedacted);
}

await main(process.argv.slice(2));
