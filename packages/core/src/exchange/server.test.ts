import { beforeAll, describe, expect, it } from 'vitest';
import { answer, countingRing, type Ends, party, post, refusal, twoEnds } from '../../test/two-ends.js';
import { E2eeError } from '../errors.js';
import type { PolicyDocument } from '../policy/policy.js';
import { banked } from '../profiles/banked.js';
import { createE2eeServer, type E2eeServer } from './server.js';
import type { E2eeServerOptions } from './server-options.js';

const POLICY: PolicyDocument = {
  'POST /both': { a: { request: 'encrypt', response: 'encrypt' } },
  'POST /requests': { a: { request: 'encrypt' } },
  'GET /answers': { a: { response: 'redact' } },
  'GET /answers/:id': { a: { response: 'redact' } },
  'POST /nothing': { a: { request: 'none' } },
};

let ends: Ends;
beforeAll(async () => {
  ends = await twoEnds({ policy: POLICY });
});

async function serverWith(options: object): Promise<E2eeServer> {
  const { keyRing } = await countingRing(await party('bank'));
  return createE2eeServer({ profile: banked, policy: POLICY, keyRing, ...options } as E2eeServerOptions);
}

describe('making the server end', () => {
  it.each<[string, object]>([
    ['profile', { profile: undefined }],
    ['keyRing', { keyRing: undefined }],
    ['keyRing', { keyRing: {} }],
    ['recipient', { recipient: { id: 'p1' } }],
    ['unmatched', { unmatched: 'block' }],
    ['plaintext', { plaintext: 'allow' }],
    ['plaintext', { plaintext: true }],
    ['onEvent', { onEvent: {} }],
    ['limits.depth', { limits: { depth: -1 } }],
  ])('names the option %s when it is %j', async (option, wrong) => {
    const error = await refusal(() => serverWith(wrong));
    expect(error).toMatchObject({ code: 'option_invalid', status: 500 });
    expect(error.message).toContain(`\`${option}\``);
  });

  it('refuses a bad policy, naming the place', async () => {
    const error = await refusal(() => serverWith({ policy: { 'POST /a': { b: { response: 'hide' } } } }));
    expect(error).toMatchObject({ code: 'policy_invalid' });
    expect(error.message).toContain('POST /a → b');
  });

  it('goes by the policy of the profile where none is given', async () => {
    const server = await serverWith({ policy: undefined });
    expect(server.covers({ method: 'POST', path: '/v2/mandates' }).operation).toBe('POST /v2/mandates');
    expect(server.covers({ method: 'POST', path: '/both' }).operation).toBeUndefined();
  });

  it('tells adapters how a body that is one token arrives', async () => {
    const server = await serverWith({ limits: { messageLength: 1_000 } });
    expect(server.message).toEqual({ contentType: 'application/jose', maxLength: 1_000 });
  });
});

describe('what has to be done for a request', () => {
  it.each([
    ['POST', '/both', { operation: 'POST /both', keys: false, request: true, response: true }],
    ['POST', '/Both/?x', { operation: 'POST /both', keys: false, request: true, response: true }],
    ['POST', '/requests', { operation: 'POST /requests', keys: false, request: true, response: true }],
    ['GET', '/answers', { operation: 'GET /answers', keys: false, request: false, response: true }],
    ['HEAD', '/answers', { operation: 'GET /answers', keys: false, request: false, response: true }],
    ['POST', '/nothing', { operation: 'POST /nothing', keys: false, request: false, response: false }],
    ['POST', '/other', { keys: false, request: false, response: false }],
    ['GET', '/.well-known/jwks.json', { keys: true, request: false, response: false }],
    ['GET', '/.Well-Known//jwks.json/?x', { keys: true, request: false, response: false }],
  ])('for %s %s is %j', async (method, path, coverage) => {
    const server = await serverWith({});
    expect(server.covers({ method, path })).toEqual(coverage);
  });

  it('includes the response of every covered operation once there may be recipients, who may want messages', () => {
    for (const path of ['/requests', '/nothing']) {
      expect(ends.server.covers({ method: 'POST', path }).response).toBe(true);
    }
    expect(ends.server.covers({ method: 'POST', path: '/other' }).response).toBe(false);
  });

  it('includes the request of every other operation when they are refused, but for the keys', async () => {
    const server = await serverWith({ unmatched: 'refuse' });
    expect(server.covers({ method: 'GET', path: '/other' }).request).toBe(true);
    expect(server.covers({ method: 'GET', path: '/.well-known/jwks.json' })).toMatchObject({
      keys: true,
      request: false,
    });
  });

  it('is refused for an ambiguous path, in every call', async () => {
    const request = { method: 'GET', path: '/answers/.', headers: {} };
    for (const call of [
      () => ends.server.covers(request),
      () => ends.server.decryptRequest(request),
      () => ends.server.protectResponse(request, answer({ a: 1 })),
    ]) {
      expect(await refusal(call)).toMatchObject({ code: 'operation_refused', status: 400 });
    }
  });
});

describe('operations outside the policy', () => {
  it('pass untouched by default', async () => {
    const request = post('/other', { a: 1 });
    expect(await ends.server.decryptRequest(request)).toBe(request);
  });

  it('are refused with 403 when told to, body or not', async () => {
    const server = await serverWith({ unmatched: 'refuse', onEvent: () => {} });
    for (const body of [undefined, { a: 1 }]) {
      const error = await refusal(server.decryptRequest(post('/other', body)));
      expect(error).toMatchObject({ code: 'operation_refused', status: 403 });
    }
    const covered = post('/both', { x: 1 });
    expect((await server.decryptRequest(covered)).body).toEqual({ x: 1 });
  });
});

describe('events about requests', () => {
  it('say which operation was refused, with the error', async () => {
    const { server, serverEvents } = await twoEnds({ policy: POLICY, server: { unmatched: 'refuse' } });
    const plaintext = await refusal(server.decryptRequest(post('/both', { a: 'canary' })));
    const unmatched = await refusal(server.decryptRequest(post('/other', {})));
    const ambiguous = await refusal(
      server.decryptRequest({ method: 'GET', path: '/answers/.', headers: {} }),
    );
    expect(serverEvents).toEqual([
      { type: 'request_refused', operation: 'POST /both', error: plaintext },
      { type: 'request_refused', error: unmatched },
      { type: 'request_refused', error: ambiguous },
    ]);
  });

  it('are not needed for a request that is fine', async () => {
    const { client, server, serverEvents } = await twoEnds({ policy: POLICY });
    await server.decryptRequest(await client.encryptRequest(post('/both', { a: 1 })));
    expect(serverEvents).toEqual([]);
  });
});

describe('the two ends together', () => {
  it('handle many calls at once, each with its own values', async () => {
    const { client, server } = ends;
    const calls = Array.from({ length: 30 }, async (_, i) => {
      const request = post('/both', { a: { i } });
      const opened = await server.decryptRequest(await client.encryptRequest(request));
      const reply = await server.protectResponse(opened, answer({ a: [opened.body, i] }));
      return (await client.decryptResponse(request, reply)).body;
    });
    const bodies = await Promise.all(calls);
    expect(bodies).toEqual(Array.from({ length: 30 }, (_, i) => ({ a: [{ a: { i } }, i] })));
  });

  it('turn any error into an answer of the profile', async () => {
    const error = await refusal(ends.server.decryptRequest(post('/both', { a: 1 })));
    expect(ends.server.errorResponse(error)).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'plaintext_refused', source: 'a', title: 'Field `a` must be encrypted' }] },
    });
    expect(error).toBeInstanceOf(E2eeError);
  });
});

describe('an error that repeats a protected value of its request', () => {
  const SECRET = 'secret-4711';

  it.each(['/both', '/requests'])('loses its body and keeps its status: %s', async (path) => {
    const events: unknown[] = [];
    const server = await serverWith({ onEvent: (event: unknown) => events.push(event) });
    const request = post(path, { a: SECRET });
    const said = { message: `no such account: ${SECRET}` };
    const refused = await server.protectResponse(request, answer(said, 422));
    expect(refused.status).toBe(422);
    expect(refused.body).toEqual({ errors: [expect.objectContaining({ code: 'response_refused' })] });
    expect(JSON.stringify([refused, events])).not.toContain(SECRET);
    expect(events).toMatchObject([{ type: 'response_refused', operation: `POST ${path}` }]);

    const other = await server.protectResponse(request, answer({ message: 'no such account' }, 422));
    expect(other).toMatchObject({ status: 422, body: { message: 'no such account' } });
    const success = await server.protectResponse(request, answer(said, 201));
    expect(success.body).toEqual(said); // what an answer says beside its rows is the handler's business
  });
});
