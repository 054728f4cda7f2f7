import {
  banked,
  createE2eeClient,
  createE2eeServer,
  createKeyRing,
  type E2eeClient,
  type E2eeRequest,
  type E2eeServer,
  importKey,
  type PolicyDocument,
  type PolicyRows,
  type Profile,
  perMessageKey,
  staticKeys,
} from '@e2ee/core';
import type { Pair } from './keys.js';
import { OURS, PER_MESSAGE_KEY } from './names.js';
import { PAYEE } from './payloads.js';

const UNBOUNDED = 100_000_000;

/** Ways to encrypt the fields of a message. A row for each option of a profile that changes the work. */
export const FIELD_PROFILES: readonly { readonly name: string; readonly options: Partial<Profile> }[] = [
  { name: OURS, options: {} },
  { name: PER_MESSAGE_KEY, options: { perMessageKey: perMessageKey() } },
];

const PROTECTED = { request: 'encrypt', response: 'redact' } as const;

/** How many fields there are operations for, as a policy has a row for each field and no more. */
const FIELD_COUNTS = [1, 4, 8, 16, 32, 64];

/** Rows for `f0`, `f1` …, for a list, and for a whole message. */
const OPERATIONS: PolicyDocument = {
  ...Object.fromEntries(FIELD_COUNTS.map((count) => [`POST ${fieldsPath(count)}`, rowsFor(count)])),
  'POST /list': { 'items.#.card': PROTECTED },
  'POST /message': { $: { request: 'encrypt' } },
};

function fieldsPath(count: number): string {
  return `/fields/${count}`;
}

function rowsFor(count: number): PolicyRows {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, PROTECTED]));
}

export interface Ends {
  readonly client: E2eeClient;
  readonly server: E2eeServer;
}

/** Both ends of a call, with limits that no benchmark reaches but for those of private-key operations. */
export async function endsFor(
  { publicJwk, privateJwk, alg }: Pair,
  options: Partial<Profile> = {},
): Promise<Ends> {
  const algorithms = { encrypt: { alg, enc: 'A256GCM' }, accept: { alg: [alg], enc: ['A256GCM'] } } as const;
  const profile = { ...banked, ...algorithms, ...options, policy: OPERATIONS };
  const limits = { tokens: 10_000, elements: 100_000, tokenLength: UNBOUNDED, messageLength: UNBOUNDED };
  const keyRing = await createKeyRing({ keys: await importKey(privateJwk) });
  return {
    client: createE2eeClient({ profile, limits, encryptionKeys: staticKeys(await importKey(publicJwk)) }),
    server: createE2eeServer({ profile, limits: { ...limits, queue: 10_000 }, keyRing }),
  };
}

export function requestOf(path: string, body: unknown): E2eeRequest {
  return { method: 'POST', path, headers: { 'content-type': 'application/json' }, body };
}

export function fieldsRequest(count: number): E2eeRequest {
  const fields = Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, PAYEE]));
  return requestOf(fieldsPath(count), { reference: 'order-0123', ...fields });
}

export function listRequest(count: number): E2eeRequest {
  return requestOf('/list', { items: Array.from({ length: count }, (_, id) => ({ id, card: PAYEE })) });
}
