import {
  banked,
  createKeyRing,
  decryptJwe,
  type E2eeEvent,
  type EncryptionKey,
  encryptJwe,
  importKey,
  type KeyRing,
  type PolicyDocument,
  type Profile,
  type Recipient,
  staticKeys,
} from '@e2ee/core';
import { bodyParser } from '@koa/bodyparser';
import type Koa from 'koa';
import { type E2eeKoaOptions, e2ee } from '../src/index.js';
import type { Version } from './versions.js';

/** Stands in every protected field. Must never be seen in the clear where it does not belong. */
export const CANARY = 'CANARY-2b7e151628aed2a6';
export const MASK = '[REDACTED]';
export const SESSIONS = '/v2/payment_sessions';
/** A session that the handler of {@link bank} shows. */
export const SESSION: string = `${SESSIONS}/1`;

const policy: PolicyDocument = {
  'POST /v2/payment_sessions': { payee: { request: 'encrypt', response: 'redact-or-encrypt' } },
  'GET /v2/payment_sessions/:id': { payee: { response: 'redact-or-encrypt' } },
  'DELETE /v2/payment_sessions/:id': { reason: { request: 'encrypt' } },
  'POST /v2/notes': { note: { request: 'encrypt' } },
  'POST /v2/messages': { $: { request: 'encrypt', response: 'encrypt' } },
};

export const profile: Profile = { ...banked, policy };
export const keyRing: KeyRing = await createKeyRing();
const bankKey = await keyOf(keyRing);
const partnerRing = await createKeyRing();
const partnerKey = await keyOf(partnerRing);

export function partner(response: Recipient['response']): Recipient {
  return { id: 'partner', encryptionKeys: staticKeys(partnerKey), response };
}

/** A value as a token for the bank. */
export function sealed(value: unknown): Promise<string> {
  return encryptJwe(new TextEncoder().encode(JSON.stringify(value)), bankKey);
}

/** What a token for the partner holds. */
export async function opened(token: unknown): Promise<unknown> {
  const { plaintext } = await decryptJwe(String(token), partnerRing);
  return JSON.parse(new TextDecoder().decode(plaintext));
}

export interface Bank {
  readonly app: Koa;
  readonly events: E2eeEvent[];
}

/** What stands where around the adapter, and its options. */
export interface Setup extends Partial<E2eeKoaOptions> {
  readonly outside?: readonly Koa.Middleware[];
  readonly inside?: readonly Koa.Middleware[];
}

/** An application as the README shows it. Nothing is printed. */
export function bank(
  { Koa: Application }: Version,
  { outside = [], inside = [], ...options }: Setup = {},
): Bank {
  const events: E2eeEvent[] = [];
  const app = new Application();
  app.silent = true;
  const adapter = e2ee({ profile, keyRing, onEvent: (event) => events.push(event), ...options });
  for (const middleware of [...outside, bodyParser(), adapter, ...inside]) app.use(middleware);
  return { app, events };
}

async function keyOf(ring: KeyRing): Promise<EncryptionKey> {
  const key = await importKey(ring.jwks().keys[0] ?? {});
  if (key.kind !== 'encryption') throw new Error('A key ring publishes public keys only');
  return key;
}
