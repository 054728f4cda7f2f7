import {
  banked,
  createKeyRing,
  type EncryptionKey,
  importKey,
  type KeyRing,
  type PolicyDocument,
  type Profile,
  type Recipient,
  staticKeys,
  strict,
} from '@e2ee/core';
import { RSA } from '../../../packages/core/test/stored-keys.js';

/* What both sides of the fuzzing know: stored keys, so that an input can be sent again as it is, policy and profiles. */

export const SESSIONS = '/v2/payment_sessions';

const policy: PolicyDocument = {
  'POST /v2/payment_sessions': {
    payee: { request: 'encrypt', response: 'redact-or-encrypt' },
    mandate_id: { request: 'encrypt', response: 'encrypt', as: 'text' },
  },
  'GET /v2/payment_sessions/:id': { payee: { response: 'redact-or-encrypt' } },
  'POST /v2/mandates': {
    source: { request: 'encrypt', response: 'redact' },
    'actions.#.source': { request: 'encrypt', response: 'redact' },
  },
  'POST /v2/bank_accounts': {
    account_number: { request: 'encrypt', response: 'redact', as: 'text', required: true },
  },
  'POST /v2/messages': { $: { request: 'encrypt', response: 'encrypt' } },
};

/** As the provider has it; and bound to place and time, each token once. */
export const PROFILES = {
  banked: { ...banked, policy },
  strict: { ...strict, policy },
} satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES;

/** The values that handlers, or callers, must only be given decrypted. */
export const COVERED: Readonly<Record<string, (body: unknown) => readonly unknown[]>> = {
  'POST /v2/payment_sessions': (body) => [member(body, 'payee'), member(body, 'mandate_id')],
  'POST /v2/mandates': (body) => {
    const actions = member(body, 'actions');
    const sources = Array.isArray(actions) ? actions.map((action) => member(action, 'source')) : [];
    return [member(body, 'source'), ...sources];
  },
  'POST /v2/bank_accounts': (body) => [member(body, 'account_number') ?? null],
  'POST /v2/messages': (body) => [body],
};

export async function serverRing(): Promise<KeyRing> {
  return createKeyRing({ keys: await importKey(RSA[0].pkcs8, { kid: 'server' }) });
}

export async function clientRing(): Promise<KeyRing> {
  return createKeyRing({ keys: await importKey(RSA[1].pkcs8, { kid: 'client' }) });
}

/** The public keys of both ends, as PEM for forging. */
export const PUBLIC = { server: RSA[0].spki, client: RSA[1].spki } as const;

export async function publicKey(of: keyof typeof PUBLIC): Promise<EncryptionKey> {
  const key = await importKey(PUBLIC[of], { kid: of });
  if (key.kind === 'encryption') return key;
  throw new Error('A public key is there to encrypt to');
}

/** Whom a response is for, by what a request asks for in `x-client`. */
export async function recipients(): Promise<(choice: unknown) => Recipient | undefined> {
  const encryptionKeys = staticKeys(await publicKey('client'));
  const known: readonly Recipient['response'][] = ['encrypt', 'redact', 'message'];
  return (choice) => {
    const response = known.find((name) => name === choice);
    return response && { id: 'client', encryptionKeys, response };
  };
}

/** An own member only: nothing inherited. */
function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
