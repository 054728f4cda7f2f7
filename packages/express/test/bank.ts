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
import type { Express } from 'express';
import type { E2eeExpressOptions } from '../src/index.js';
import type { Version } from './versions.js';

/** Stands in every protected field. Must never be seen in the clear where it does not belong. */
export const CANARY = 'CANARY-2b7e151628aed2a6';
export const MASK = '[REDACTED]';

export const policy: PolicyDocument = {
  'POST /v2/payment_sessions': {
    payee: { request: 'encrypt', response: 'redact-or-encrypt' },
    mandate_id: { request: 'encrypt', response: 'encrypt', as: 'text' },
  },
  'GET /v2/payment_sessions/:id': { payee: { response: 'redact-or-encrypt' } },
  'POST /v2/bank_accounts': {
    account_number: { request: 'encrypt', response: 'redact', as: 'text', required: true },
  },
  'POST /v2/messages': { $: { request: 'encrypt', response: 'encrypt' } },
  'POST /v2/notes': { note: { request: 'encrypt' } },
};

export const profile: Profile = { ...banked, policy };
export const keyRing: KeyRing = await createKeyRing();
export const bankKey: EncryptionKey = await keyOf(keyRing);

/** The partner's private keys. */
const partnerRing: KeyRing = await createKeyRing();
const partnerKey = await keyOf(partnerRing);

export function partner(response: Recipient['response']): Recipient {
  return { id: 'partner', encryptionKeys: staticKeys(partnerKey), response };
}

/** A value as a token for the bank. */
export function sealed(
  value: unknown,
  as: 'json' | 'text' = 'json',
  key: EncryptionKey = bankKey,
): Promise<string> {
  const text = as === 'text' ? String(value) : JSON.stringify(value);
  return encryptJwe(new TextEncoder().encode(text), key);
}

/** What a token for the partner holds. */
export async function opened(token: unknown): Promise<unknown> {
  const { plaintext } = await decryptJwe(String(token), partnerRing);
  return JSON.parse(new TextDecoder().decode(plaintext));
}

export interface Bank {
  readonly app: Express;
  readonly events: E2eeEvent[];
}

/** A key ring some of whose methods are others. */
export function ringWith(ring: KeyRing, others: Partial<KeyRing>): KeyRing {
  return new Proxy(ring, {
    get: (target, name) => {
      const value: unknown = Reflect.get(others, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value; // its private members need the ring itself
    },
  });
}

/** The options of every application here. Events go nowhere. */
export function bankOptions(options: Partial<E2eeExpressOptions> = {}): E2eeExpressOptions {
  return { profile, keyRing, onEvent: () => {}, ...options };
}

/** An application as the README shows it: JSON parser, adapter, and the routes of the test. */
export function bank({ express, e2ee }: Version, options: Partial<E2eeExpressOptions> = {}): Bank {
  const events: E2eeEvent[] = [];
  const app = express();
  app.use(express.json());
  app.use(e2ee(bankOptions({ onEvent: (event) => events.push(event), ...options })));
  return { app, events };
}

/** The key that a ring publishes. */
export async function keyOf(ring: KeyRing): Promise<EncryptionKey> {
  const key = await importKey(ring.jwks().keys[0] ?? {});
  if (key.kind !== 'encryption') throw new Error('A key ring publishes public keys only');
  return key;
}
