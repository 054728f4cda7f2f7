import { E2eeError } from '../src/errors.js';
import { createE2eeClient, type E2eeClient, type E2eeClientOptions } from '../src/exchange/client.js';
import type { E2eeEvent } from '../src/exchange/events.js';
import { leakGuard } from '../src/exchange/leak-guard.js';
import type { E2eeRequest, E2eeResponse } from '../src/exchange/message.js';
import type { Recipient } from '../src/exchange/recipient.js';
import { createE2eeServer, type E2eeServer } from '../src/exchange/server.js';
import type { E2eeServerOptions } from '../src/exchange/server-options.js';
import { staticKeys } from '../src/keys/encryption-keys.js';
import type { DecryptionKey, EncryptionKey } from '../src/keys/key.js';
import { createKeyRing, type KeyRing } from '../src/keys/key-ring.js';
import type { PolicyDocument } from '../src/policy/policy.js';
import { banked } from '../src/profiles/banked.js';
import type { Profile } from '../src/profiles/profile.js';
import { decryptionKeyOf, encryptionKeyOf } from './keys-fixtures.js';
import { RSA } from './stored-keys.js';

/** Both halves of one party's key pair. */
export interface Party {
  readonly encryptionKey: EncryptionKey;
  readonly decryptionKey: DecryptionKey;
}

const parties = new Map<string, Promise<Party>>();

/** A party with a key pair of its own: one name is one party for the whole test file, of up to four. */
export function party(kid: string): Promise<Party> {
  const made = parties.get(kid) ?? makeParty(kid);
  parties.set(kid, made);
  return made;
}

async function makeParty(kid: string): Promise<Party> {
  const pair = RSA[parties.size];
  if (!pair) throw new Error('There are no more stored keys');
  return {
    encryptionKey: await encryptionKeyOf(pair, kid),
    decryptionKey: await decryptionKeyOf(pair, kid),
  };
}

/** A key ring that counts its private-key operations. */
export interface CountingRing {
  readonly keyRing: KeyRing;
  readonly operations: () => number;
}

export async function countingRing(...owners: readonly Party[]): Promise<CountingRing> {
  let count = 0;
  const keys = owners.map(
    ({ decryptionKey }): DecryptionKey => ({
      ...decryptionKey,
      unwrap: (encryptedKey, header) => {
        count += 1;
        return decryptionKey.unwrap(encryptedKey, header);
      },
    }),
  );
  return { keyRing: await createKeyRing({ keys }), operations: () => count };
}

export interface EndsOptions {
  readonly profile?: Profile;
  readonly policy?: PolicyDocument;
  readonly server?: Partial<E2eeServerOptions>;
  readonly client?: Partial<E2eeClientOptions>;
  /** Default: both ends have it. `false`, where a value stands in the clear as well, on purpose. */
  readonly leakGuard?: false;
  /** Default: the partner, with a key, who chose encryption. */
  readonly recipient?: Recipient | undefined;
}

export interface Ends {
  readonly client: E2eeClient;
  readonly server: E2eeServer;
  /** What the two ends reported, in order. */
  readonly clientEvents: E2eeEvent[];
  readonly serverEvents: E2eeEvent[];
  /** How many private-key operations the server end has made. */
  readonly operations: () => number;
  /** The recipient that the server end finds, unless the options name another. */
  readonly partner: Recipient;
}

/** A client end and a server end that hold each other's public keys. */
export async function twoEnds(options: EndsOptions = {}): Promise<Ends> {
  const [bank, own] = [await party('bank'), await party('partner')];
  const partner: Recipient = {
    id: 'partner',
    encryptionKeys: staticKeys(own.encryptionKey),
    response: 'encrypt',
  };
  const recipient = 'recipient' in options ? options.recipient : partner;
  const { profile = banked, policy = profile.policy } = options;
  const guard = options.leakGuard === false ? {} : { leakGuard };
  const [clientEvents, serverEvents]: [E2eeEvent[], E2eeEvent[]] = [[], []];
  const ring = await countingRing(bank);
  const server = createE2eeServer({
    profile,
    policy,
    keyRing: ring.keyRing,
    recipient: () => recipient,
    onEvent: (event) => serverEvents.push(event),
    ...guard,
    ...options.server,
  });
  const client = createE2eeClient({
    profile,
    policy,
    encryptionKeys: staticKeys(bank.encryptionKey),
    keyRing: await createKeyRing({ keys: own.decryptionKey }),
    onEvent: (event) => clientEvents.push(event),
    ...guard,
    ...options.client,
  });
  return { client, server, clientEvents, serverEvents, operations: ring.operations, partner };
}

export function post(path: string, body?: unknown, headers: Record<string, string> = {}): E2eeRequest {
  return { method: 'POST', path, headers, ...(body !== undefined && { body }) };
}

export function answer(body: unknown, status = 200, headers: Record<string, string> = {}): E2eeResponse {
  return { status, headers, body };
}

/** The error that a call fails with; fails itself when there is none, or when it is not an `E2eeError`. */
export async function refusal(call: Promise<unknown> | (() => unknown)): Promise<E2eeError> {
  try {
    await (typeof call === 'function' ? call() : call);
  } catch (error) {
    if (error instanceof E2eeError) return error;
    throw error;
  }
  throw new Error('Nothing was refused');
}

/** A member of a JSON body, by its names. */
export function memberOf(body: unknown, ...names: readonly (string | number)[]): unknown {
  return names.reduce<unknown>((value, name) => Reflect.get(Object(value), name), body);
}

export function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFrozen);
    Object.freeze(value);
  }
  return value;
}

/** A JSON text of `depth` lists inside one another. */
export function nestedLists(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

/** The bytes of a token with one of them changed, still well-formed base64url. */
export function tampered(token: unknown): string {
  const [head, key, iv, ciphertext = '', tag] = String(token).split('.');
  const other = ciphertext.startsWith('A') ? 'B' : 'A';
  return [head, key, iv, other + ciphertext.slice(1), tag].join('.');
}
