import { CompactEncrypt } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../test/bytes.js';
import { bufferOf, DEEP, inspected, nodeStream, outputs } from '../../test/runtime.js';
import {
  answer,
  type Ends,
  memberOf,
  nestedLists,
  party,
  post,
  tampered,
  twoEnds,
} from '../../test/two-ends.js';
import { E2eeError } from '../errors.js';
import type { EncryptionKeys } from '../keys/encryption-keys.js';
import type { PolicyDocument } from '../policy/policy.js';
import { banked } from '../profiles/banked.js';
import type { Profile } from '../profiles/profile.js';
import type { Recipient } from './recipient.js';

/** Stands for what nobody may read. Put in as plaintext, it must never come out of a failure. */
const CANARY = 'canary-4b1d9e';
const BOTH = { request: 'encrypt', response: 'encrypt' } as const;
const POLICY: PolicyDocument = {
  'POST /things': {
    a: BOTH,
    text: { ...BOTH, as: 'text' },
    'nested.a': BOTH,
    'list.#.a': BOTH,
    'meta.*': BOTH,
    secret: { response: 'redact' },
  },
  'POST /required': { a: BOTH, z: { ...BOTH, required: true } },
  'POST /whole': { $: BOTH },
};
const IN_PLACE: Profile = { ...banked, prefix: { request: '', response: '' } };
const ENVELOPE: Profile = { ...banked, message: { contentType: 'application/json', member: 'jwe' } };

async function tokenOf(plaintext: string): Promise<string> {
  const { encryptionKey } = await party('bank');
  return new CompactEncrypt(new TextEncoder().encode(plaintext))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'bank' })
    .encrypt(encryptionKey.publicKey);
}

const throwing = (): never => {
  throw new Error(CANARY);
};
const down: EncryptionKeys = {
  current: async () => {
    throw new E2eeError('keys_unavailable', 'No valid encryption key');
  },
  refresh: async () => {},
};
const broken: EncryptionKeys = {
  current: async () => ({ ...(await party('partner')).encryptionKey, publicKey: {} as never }),
  refresh: async () => {},
};

/** Bodies that fail in requests as well as in responses. */
const BODIES: readonly (readonly [name: string, make: () => unknown])[] = [
  ['a text that is not JSON', () => `{"a":"${CANARY}"`],
  ['a text that begins with the secret', () => CANARY],
  ['bytes', () => bufferOf(utf8(CANARY))],
  ['a stream', () => nodeStream(CANARY)],
  ['a form', () => new URLSearchParams({ a: CANARY })],
  ['a BigInt beside', () => ({ a: CANARY, b: 1n })],
  ['a throwing getter', () => Object.defineProperty({}, 'a', { enumerable: true, get: throwing })],
  ['a throwing toJSON', () => ({ a: { toJSON: throwing } })],
  ['a value that is no text', () => ({ text: { name: CANARY } })],
  ['a text with half a surrogate', () => ({ text: `${CANARY}\ud800` })],
  ['a text for an object', () => ({ nested: CANARY })],
  ['a text for a list', () => ({ list: CANARY })],
  ['a text among the elements', () => ({ list: [{ a: 1 }, CANARY] })],
  ['a list for the body', () => [CANARY]],
  ['a list for a wildcard', () => ({ meta: [CANARY] })],
  ['both forms', () => ({ a: CANARY, encrypted_a: 'eyJ.a.a.a.a' })],
  ['the encrypted form in plain', () => ({ encrypted_a: CANARY })],
  ['the encrypted form as an object', () => ({ encrypted_a: { name: CANARY } })],
  ['nesting over the limit', () => ({ a: CANARY, x: JSON.parse(nestedLists(DEEP)) })],
];

/** What a parser cannot make, so that no request can bring it to the server end. */
const UNPARSABLE = ['a throwing getter', 'a throwing toJSON', 'a BigInt beside'];

type Failure = (ends: Ends) => Promise<unknown>;
const FAILURES: readonly (readonly [name: string, fail: Failure])[] = [
  ...BODIES.filter(([name]) => !UNPARSABLE.includes(name)).map(([name, make]): [string, Failure] => [
    `server, request: ${name}`,
    ({ server }) => server.decryptRequest(post('/things', make())),
  ]),
  ...BODIES.flatMap(([name, make]): [string, Failure][] => [
    [`client, request: ${name}`, ({ client }) => client.encryptRequest(post('/things', make()))],
    [`server, response: ${name}`, ({ server }) => server.protectResponse(post('/things'), answer(make()))],
    [
      `server, error response: ${name}`,
      ({ server }) => server.protectResponse(post('/things'), answer(make(), 500)),
    ],
  ]),
  ['server: plaintext', ({ server }) => server.decryptRequest(post('/things', { a: CANARY }))],
  [
    'server: plaintext under a secret name',
    ({ server }) => server.decryptRequest(post('/things', { meta: { [CANARY]: 1 } })),
  ],
  [
    'server: plaintext for the whole body',
    ({ server }) => server.decryptRequest(post('/whole', { a: CANARY })),
  ],
  [
    'server: a wrong content type',
    ({ server }) => server.decryptRequest(post('/things', { a: CANARY }, { 'content-type': 'text/plain' })),
  ],
  [
    'server: a wrong charset',
    ({ server }) =>
      server.decryptRequest(
        post('/things', { a: CANARY }, { 'content-type': 'application/json; charset=utf-16' }),
      ),
  ],
  [
    'server: plaintext that is no JSON',
    async ({ server }) => server.decryptRequest(post('/things', { encrypted_a: await tokenOf(CANARY) })),
  ],
  [
    'server: plaintext nested too deep',
    async ({ server }) =>
      server.decryptRequest(
        post('/things', { encrypted_a: await tokenOf(nestedLists(99).replace('[]', `["${CANARY}"]`)) }),
      ),
  ],
  [
    'server: a whole message that is no JSON',
    async ({ server }) =>
      server.decryptRequest(post('/whole', await tokenOf(CANARY), { 'content-type': 'application/jose' })),
  ],
  [
    'server: one good and one bad field',
    async ({ server }) =>
      server.decryptRequest(
        post('/things', {
          encrypted_a: await tokenOf(`"${CANARY}"`),
          encrypted_text: tampered(await tokenOf('x')),
        }),
      ),
  ],
  [
    'server: a good field and one that is not JSON',
    async ({ server }) =>
      server.decryptRequest(
        post('/things', {
          encrypted_a: await tokenOf(`"${CANARY}"`),
          nested: { encrypted_a: await tokenOf('x') },
        }),
      ),
  ],
  [
    'server: a good field and a required one missing',
    async ({ server }) =>
      server.decryptRequest(post('/required', { encrypted_a: await tokenOf(`"${CANARY}"`) })),
  ],
  [
    'client: a required field missing',
    ({ client }) => client.encryptRequest(post('/required', { a: CANARY })),
  ],
  [
    'client: a wrong content type',
    ({ client }) => client.encryptRequest(post('/things', { a: CANARY }, { 'content-type': 'text/plain' })),
  ],
  ['client: a whole body that is no JSON', ({ client }) => client.encryptRequest(post('/whole', CANARY))],
  [
    'client: a response in plain',
    ({ client }) => client.decryptResponse(post('/things'), answer({ a: CANARY, encrypted_text: 'x' })),
  ],
  [
    'client: a message in plain',
    ({ client }) =>
      client.decryptResponse(
        post('/whole'),
        answer({ a: CANARY }, 200, { 'content-type': 'application/jose' }),
      ),
  ],
  [
    'client: a tampered response',
    async ({ client, server }) => {
      const sent = await server.protectResponse(post('/things'), answer({ a: CANARY }));
      return client.decryptResponse(
        post('/things'),
        answer({ encrypted_a: tampered(memberOf(sent.body, 'encrypted_a')) }),
      );
    },
  ],
  [
    'client: half a response',
    async ({ client, server }) => {
      const sent = await server.protectResponse(post('/things'), answer({ a: CANARY }));
      return client.decryptResponse(
        post('/things'),
        answer({ ...(sent.body as object), encrypted_text: 'bad' }),
      );
    },
  ],
  [
    'client: no key',
    async () =>
      (await twoEnds({ policy: POLICY, client: { encryptionKeys: down } })).client.encryptRequest(
        post('/things', { a: CANARY }),
      ),
  ],
  [
    'client: a key that cannot encrypt',
    async () =>
      (await twoEnds({ policy: POLICY, client: { encryptionKeys: broken } })).client.encryptRequest(
        post('/things', { a: CANARY }),
      ),
  ],
  [
    'client: a key that cannot encrypt the whole body',
    async () =>
      (await twoEnds({ policy: POLICY, client: { encryptionKeys: broken } })).client.encryptRequest(
        post('/whole', { a: CANARY }),
      ),
  ],
  ...[down, broken].flatMap((encryptionKeys): [string, Failure][] =>
    (['encrypt', 'message'] as const).map((response) => {
      const recipient: Recipient = { id: 'p1', encryptionKeys, response };
      return [
        `server: a recipient for ${response} whose keys are ${encryptionKeys === down ? 'down' : 'broken'}`,
        ({ server }) => server.protectResponse(post('/things'), answer({ a: CANARY }), () => recipient),
      ];
    }),
  ),
  [
    'server: looking for the recipient fails',
    ({ server }) =>
      server.protectResponse(post('/things'), answer({ a: CANARY }), () =>
        Promise.reject(new Error('no database')),
      ),
  ],
  [
    'server: a recipient with a bad choice',
    ({ server }) =>
      server.protectResponse(post('/things'), answer({ a: CANARY }), () => ({
        id: 'p1',
        response: 'x' as never,
      })),
  ],
];

const PROFILES: readonly (readonly [name: string, profile: Profile])[] = [
  ['a prefix', banked],
  ['tokens in place', IN_PLACE],
  ['an envelope', ENVELOPE],
];

/** Everything that this process prints, and what the two ends report to a listener or to the console. */
let printed: unknown[];
beforeEach(() => {
  printed = [];
  const note = (...args: unknown[]): true => {
    printed.push(...args);
    return true;
  };
  for (const level of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const)
    vi.spyOn(console, level).mockImplementation(note);
  for (const output of outputs) vi.spyOn(output, 'write').mockImplementation(note);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Every form in which a thing may end up in a log. */
function renderings(thing: unknown): string {
  const shown = [String(thing), inspected(thing), json(thing)];
  if (thing instanceof Error)
    shown.push(String(thing.stack), thing.message, thing.cause === undefined ? '' : renderings(thing.cause));
  return shown.join('\n');
}

function json(thing: unknown): string {
  return (
    JSON.stringify(thing, (_, value) =>
      value instanceof Error ? { ...value, message: value.message } : value,
    ) ?? ''
  );
}

describe.each(PROFILES)('a failure under a profile with %s', (_, profile) => {
  // A failure may be none under another profile; how many are must not shrink unnoticed.
  let failed = 0;

  it.each(FAILURES)('shows nothing of the plaintext: %s', async (_, fail) => {
    const listening = await twoEnds({ policy: POLICY, profile });
    const silent = await twoEnds({
      policy: POLICY,
      profile,
      server: { onEvent: undefined as never },
      client: { onEvent: undefined as never },
    });
    for (const ends of [listening, silent]) {
      const thrown: unknown = await fail(ends).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (thrown === undefined) continue;
      failed += 1;
      expect(thrown).toBeInstanceOf(E2eeError);
      expect(renderings(thrown)).not.toContain(CANARY);
      expect(JSON.stringify(ends.server.errorResponse(thrown))).not.toContain(CANARY);
    }
    expect([...listening.serverEvents, ...listening.clientEvents].map(renderings).join('\n')).not.toContain(
      CANARY,
    );
    expect(printed.map(renderings).join('\n')).not.toContain(CANARY);
  });

  it('has been provoked by nearly all of these attempts', () => {
    expect(failed).toBeGreaterThan(FAILURES.length * 2 * 0.6);
  });
});

describe('a protected message', () => {
  it('shows nothing of the plaintext, however it is printed', async () => {
    const ends = await twoEnds({ policy: POLICY });
    const body = {
      a: CANARY,
      text: CANARY,
      nested: { a: [CANARY] },
      list: [{ a: { [CANARY]: CANARY } }],
      meta: { m: CANARY },
    };
    const request = await ends.client.encryptRequest(post('/things', body));
    const response = await ends.server.protectResponse(
      request,
      answer({ ...body, secret: { name: CANARY } }),
    );
    const message = await ends.server.protectResponse(request, answer(body), () => ({
      ...ends.partner,
      response: 'message',
    }));
    expect([request, response, message].map(renderings).join('\n')).not.toContain(CANARY);
    expect(renderings([ends.client, ends.server])).not.toContain(CANARY);
  });

  it('leaves no private key in anything that can be printed of the two ends', async () => {
    const { client, server } = await twoEnds({ policy: POLICY });
    const shown = renderings([client, server]);
    for (const secret of ['"d"', 'privateKey', 'PRIVATE KEY', 'unwrap']) expect(shown).not.toContain(secret);
  });
});
