import { inspect } from 'node:util';
import { e2ee } from '@e2ee/axios-interceptor';
import { E2eeError, staticKeys } from '@e2ee/core';
import axios, { type AxiosInstance, isAxiosError } from 'axios';
import { Random } from '../random.js';
import { CANARY, isProven, secretText } from '../secrets.js';
import { clientRing, PROFILES, type ProfileName, publicKey } from '../setup.js';
import { checkSecrecy, countHandled, report, tell, watch } from './watch.js';

/* A client to be fuzzed by the answers it gets, in a process of its own: `client.ts <profile> <port of the server>`. */

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

async function main([profile = '', port = '']: readonly string[]): Promise<void> {
  const api = axios.create({
    baseURL: `http://127.0.0.1:${port}`,
    proxy: false,
    timeout: 20_000,
    adapter: 'http',
  });
  e2ee(api, {
    profile: PROFILES[profile as ProfileName], // our parent passes no other
    encryptionKeys: staticKeys(await publicKey('server')),
    keyRing: await clientRing(),
    onEvent: checkSecrecy,
  });
  watch((asked) => {
    if (asked.type !== 'call') return;
    const { id, operation } = asked;
    void call(api, id, operation, profile === 'strict').then((outcome) =>
      tell({ type: 'called', id, outcome }),
    );
  });
  tell({ type: 'ready', port: 0 });
}

async function call(
  api: AxiosInstance,
  id: number,
  operation: string,
  refusesPlaintext: boolean,
): Promise<string> {
  const [method = '', url = ''] = operation.split(' ');
  const data = BODIES[operation]?.(secretText(new Random(id)));
  try {
    const answer = await api.request({ method, url, data, headers: { 'x-input': String(id) } });
    countHandled();
    checkConfig(answer.config);
    if (refusesPlaintext) checkData(operation, answer.data);
    return String(answer.status);
  } catch (error) {
    if (isAxiosError(error)) checkConfig(error.config);
    else checkSecrecy(error);
    if (!isAxiosError(error) && !(error instanceof E2eeError)) report('unexpected answer', error);
    const code: unknown = Reflect.get(Object(error), 'code');
    return isAxiosError(error) && error.response ? String(error.response.status) : String(code ?? error);
  }
}

/** What a caller's log shows of a config must not hold what was encrypted. */
function checkConfig(config: unknown): void {
  const shown = inspect(config, { depth: 6 });
  if (shown.includes(CANARY)) report('canary in an event or error', shown);
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
