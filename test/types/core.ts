/** What must compile of `@e2ee/core`, and what must not. Never runs. */
import {
  banked,
  createE2eeClient,
  createE2eeServer,
  createKeyRing,
  type DecryptionKey,
  decryptJwe,
  definePolicy,
  E2eeError,
  type E2eeErrorCode,
  type E2eeEventType,
  type E2eeRequest,
  type EncryptionKey,
  encryptJwe,
  importKey,
  type KeyRing,
  type Policy,
  type PolicyDocument,
  type Profile,
  type Recipient,
  remoteJwks,
  staticKeys,
} from '@e2ee/core';
import { type Equal, expectType, type Is } from './expect-type.js';

declare const keyRing: KeyRing;
const encryptionKeys = remoteJwks(new URL('https://api.example.com/.well-known/jwks.json'));

/* A policy */

expectType<Policy>(definePolicy({ 'POST /payments': { payee: { request: 'encrypt', response: 'redact' } } }));
definePolicy({ 'POST /payments': { $: { request: 'encrypt', as: 'text', required: true } } });
// @ts-expect-error a request cannot be redacted
definePolicy({ 'POST /payments': { payee: { request: 'redact' } } });
// @ts-expect-error there is no such treatment
definePolicy({ 'POST /payments': { payee: { response: 'encrypted' } } });
// @ts-expect-error there is no such encoding
definePolicy({ 'POST /payments': { payee: { request: 'encrypt', as: 'base64' } } });
// @ts-expect-error a misspelt member
definePolicy({ 'POST /payments': { payee: { reqest: 'encrypt' } } });

const written = { 'GET /payments/:id': { payee: { response: 'redact-or-encrypt' } } } as const;
expectType<PolicyDocument>(written);
expectType<PolicyDocument>(definePolicy(written).document);
// @ts-expect-error what was compiled stays as it is
definePolicy(written).document['GET /payments/:id'] = {};

/* A profile */

expectType<Profile>({ ...banked, name: 'acme', policy: written });
// @ts-expect-error no provider may use this algorithm
expectType<Profile>({ ...banked, encrypt: { alg: 'RSA1_5', enc: 'A256GCM' } });
// @ts-expect-error profiles are shared: nothing changes them
banked.requireKid = false;

/* Both ends */

const client = createE2eeClient({ profile: banked, encryptionKeys });
const server = createE2eeServer({ profile: banked, keyRing, policy: definePolicy(written) });
createE2eeClient({ profile: banked, policy: written, encryptionKeys, keyRing, limits: { tokens: 5 } });
// @ts-expect-error a client has to know its profile
createE2eeClient({ encryptionKeys });
// @ts-expect-error a client has to know whom it encrypts to
createE2eeClient({ profile: banked, keyRing });
// @ts-expect-error a server has to have keys
createE2eeServer({ profile: banked });
// @ts-expect-error a name is not a profile
createE2eeServer({ profile: 'banked', keyRing });
// @ts-expect-error there is no such choice
createE2eeServer({ profile: banked, keyRing, unmatched: 'reject' });
// @ts-expect-error there is no such limit
createE2eeServer({ profile: banked, keyRing, limits: { token: 5 } });

const request: E2eeRequest = { method: 'POST', path: '/payments', headers: {}, body: { payee: 1 } };
expectType<Promise<E2eeRequest>>(client.encryptRequest(request));
expectType<Promise<boolean>>(client.recoverFrom(request, { status: 422, headers: {} }));
expectType<Promise<E2eeRequest>>(server.decryptRequest(request));
// @ts-expect-error a header has one value
server.decryptRequest({ ...request, headers: { accept: ['a', 'b'] } });
// @ts-expect-error a request needs headers
client.encryptRequest({ method: 'POST', path: '/payments' });

/* Recipients */

expectType<Recipient>({ id: 'acme', encryptionKeys, response: 'message' });
expectType<Recipient>({ id: 'acme', response: 'redact' });
// @ts-expect-error there is no such choice
expectType<Recipient>({ id: 'acme', response: 'plain' });
createE2eeServer({
  profile: banked,
  keyRing,
  recipient: ({ headers }) =>
    headers['x-client'] === 'acme' ? { id: 'acme', response: 'redact' } : undefined,
});
createE2eeServer({
  profile: banked,
  keyRing,
  recipient: async () => ({ id: 'acme', encryptionKeys, response: 'encrypt' }),
});

/* Errors: a code narrows, and an unknown one does not compile */

export function advise(error: unknown): string {
  if (!(error instanceof E2eeError)) return 'not ours';
  expectType<Is<Equal<typeof error.code, E2eeErrorCode>>>(true);
  expectType<number>(error.status);
  expectType<string | undefined>(error.path);
  switch (error.code) {
    case 'keys_unavailable':
    case 'over_capacity':
      expectType<Is<Equal<typeof error.code, 'keys_unavailable' | 'over_capacity'>>>(true);
      return 'later';
    // @ts-expect-error there is no such code
    case 'key_expired':
      return 'never';
    default:
      // @ts-expect-error these were handled above
      expectType<'over_capacity'>(error.code);
      return 'no';
  }
}
// @ts-expect-error there is no such code
new E2eeError('oops', 'message');

const counts: Partial<Record<E2eeEventType, number>> = { request_refused: 1 };
createE2eeClient({
  profile: banked,
  encryptionKeys,
  onEvent: ({ type, error }) => {
    counts[type] = (counts[type] ?? 0) + 1;
    expectType<E2eeErrorCode | undefined>(error?.code);
  },
});

/* Keys and tokens */

export async function tokens(plaintext: Uint8Array, pem: string): Promise<void> {
  const key = await importKey(pem, { kid: 'first', alg: 'RSA-OAEP-256' });
  if (key.kind === 'decryption') expectType<DecryptionKey>(key);
  else expectType<EncryptionKey>(key);
  // @ts-expect-error only one of the two kinds opens tokens
  key.unwrap;
  // @ts-expect-error no key is imported for this algorithm
  await importKey(pem, { alg: 'RSA1_5' });

  const token = await encryptJwe(plaintext, key, { enc: 'A256GCM' });
  expectType<string>(token);
  // @ts-expect-error a text has to be made bytes first: in which encoding is the caller's to say
  await encryptJwe('text', key);
  // @ts-expect-error no token is made with this algorithm
  await encryptJwe(plaintext, key, { enc: 'A128CBC-HS256' });

  const opened = await decryptJwe(token, await createKeyRing());
  expectType<Uint8Array>(opened.plaintext);
  expectType<string>(opened.kid);
  expectType<unknown>(opened.header.anything);
  // @ts-expect-error what a header says is unknown
  expectType<string>(opened.header.anything);
  staticKeys([key]);
  // @ts-expect-error a PEM is no key yet
  staticKeys(pem);
}
