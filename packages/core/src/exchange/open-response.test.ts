import { beforeAll, describe, expect, it } from 'vitest';
import { inspected } from '../../test/runtime.js';
import { E2eeError } from '../errors.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { importKey } from '../keys/import-key.js';
import type { EncryptionKey } from '../keys/key.js';
import { createKeyRing, type KeyRing } from '../keys/key-ring.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';
import { createE2eeClient, type E2eeClient } from './client.js';
import { createE2eeServer, type E2eeServer } from './server.js';

const policy = {
  'POST /things': {
    'list.#.a': { request: 'encrypt', response: 'encrypt' },
    id: { request: 'encrypt', response: 'encrypt', as: 'text' },
  },
} as const;
const request = { method: 'POST', path: '/things', headers: {}, body: {} };
const answer = (body: unknown) => ({ status: 200, headers: { 'content-type': 'application/json' }, body });

let keyRing: KeyRing;
let key: EncryptionKey;
let client: E2eeClient;
let server: E2eeServer;
let choice: 'encrypt' | 'message';

beforeAll(async () => {
  keyRing = await createKeyRing();
  key = (await importKey(keyRing.jwks().keys[0] ?? {})) as EncryptionKey;
  const encryptionKeys = staticKeys(key);
  client = createE2eeClient({ profile: banked, policy, encryptionKeys, keyRing });
  const recipient = () => ({ id: 'p', encryptionKeys, response: choice });
  server = createE2eeServer({ profile: banked, policy, keyRing, recipient });
});

describe('a response', () => {
  it('of more tokens than a request may hold is opened', async () => {
    choice = 'encrypt';
    const body = { list: Array.from({ length: 70 }, (_, a) => ({ a })) };
    const sent = await server.protectResponse(request, answer(body));
    expect((await client.decryptResponse(request, sent)).body).toEqual(body);
  });

  it('keeps null where a text is to be encrypted, as redaction does', async () => {
    choice = 'encrypt';
    const sent = await server.protectResponse(request, answer({ id: null }));
    expect(sent.body).toEqual({ id: null });
    expect((await client.decryptResponse(request, sent)).body).toEqual({ id: null });
  });

  it('that is one message is not searched for tokens inside', async () => {
    choice = 'message';
    const inner = await encryptJwe(new TextEncoder().encode('"x"'), key);
    const sent = await server.protectResponse(request, answer({ encrypted_id: inner }));
    expect((await client.decryptResponse(request, sent)).body).toEqual({ encrypted_id: inner });
  });
});

describe('a request that the other end would refuse', () => {
  it.each([
    ['for the length of a token', { list: [{ a: 'x'.repeat(16_384) }] }, { path: 'list.#.a' }],
    ['for its nesting', { deep: JSON.parse('['.repeat(100) + ']'.repeat(100)) }, {}],
  ])('%s is not sent', async (_, body, where) => {
    const refused = client.encryptRequest({ ...request, body });
    await expect(refused).rejects.toMatchObject({ code: 'limit_exceeded', ...where });
  });

  it('is told apart by the kind of the value where a text is due', async () => {
    const refused = client.encryptRequest({ ...request, body: { id: 7 } });
    await expect(refused).rejects.toThrow('Field `id` must be a text, not number');
  });
});

describe('what only looks like a token', () => {
  const lookalike = 'eyCANARY.aa.bb.cc.dd';
  const inPlace: Profile = { ...banked, prefix: { request: '', response: '' } };
  const rows = { 'POST /things': { secret: { request: 'encrypt', response: 'encrypt' } } } as const;

  it('is encrypted as every other value, in both directions, and comes back exactly', async () => {
    const encryptionKeys = staticKeys(key);
    const recipient = () => ({ id: 'p', encryptionKeys, response: 'encrypt' as const });
    const ours = createE2eeClient({ profile: inPlace, policy: rows, encryptionKeys, keyRing });
    const theirs = createE2eeServer({ profile: inPlace, policy: rows, keyRing, recipient });
    const body = { secret: lookalike };
    const sent = await ours.encryptRequest({ ...request, body });
    expect(JSON.stringify(sent)).not.toContain('CANARY');
    expect((await theirs.decryptRequest(sent)).body).toEqual(body);
    const answered = await theirs.protectResponse(request, answer(body));
    expect(JSON.stringify(answered)).not.toContain('CANARY');
    expect((await ours.decryptResponse(request, answered)).body).toEqual(body);
  });

  it('is left alone outside the policy, whatever its content type says', async () => {
    const jws = { status: 200, headers: { 'content-type': 'application/jose' }, body: 'eyJ.aa.bb' };
    expect(await client.decryptResponse({ ...request, path: '/other' }, jws)).toBe(jws);
  });
});

describe('a failure that is not of the message', () => {
  const thrower = (): never => {
    throw new Error('CANARY');
  };

  it('keeps the status of an error, and refuses everything else, when `recipient` throws', async () => {
    const broken = createE2eeServer({
      profile: banked,
      policy,
      keyRing,
      recipient: thrower,
      onEvent: () => {},
    });
    const sent = await broken.protectResponse(request, { ...answer({ id: 'CANARY' }), status: 401 });
    expect(sent.status).toBe(401);
    expect(JSON.stringify(sent)).not.toContain('CANARY');
    const refused = await broken
      .protectResponse(request, answer({ id: 'x' }))
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'response_refused', status: 500 });
    expect(inspected(refused)).not.toContain('CANARY');
  });

  it('shows nothing of what a getter throws', async () => {
    const body = Object.defineProperty({}, 'pipe', { get: thrower, enumerable: true });
    for (const failed of [
      client.encryptRequest({ ...request, body }),
      server.protectResponse(request, answer(body)),
    ]) {
      const error = await failed.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(E2eeError);
      expect(inspected(error)).not.toContain('CANARY');
    }
  });
});

it('more tokens than the other end opens are not sent', async () => {
  const body = { list: Array.from({ length: 65 }, (_, a) => ({ a })) };
  await expect(client.encryptRequest({ ...request, body })).rejects.toMatchObject({ code: 'limit_exceeded' });
});
