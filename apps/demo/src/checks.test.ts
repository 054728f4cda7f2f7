import { e2ee } from '@e2ee/axios-interceptor';
import { banked, createE2eeClient, type E2eeClient, type PolicyDocument, remoteJwks } from '@e2ee/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkCall, type Observation } from './checks.js';
import type { ReceivedMessage } from './http-message.js';
import type { Install } from './merchant.js';
import { readPayloads } from './payloads.js';
import type { Report } from './report.js';
import { runDemo } from './run.js';
import { observe, pathOf } from './steps.js';
import { type Overrides, startWorld, type World } from './world.js';

const payloads = readPayloads([]);
const POST = 'POST /v2/payment_sessions';

/** The names of the checks that failed, each once. */
async function failuresOf(overrides: Overrides): Promise<string[]> {
  const report = await runDemo(payloads, overrides);
  expect(report.ok).toBe(false);
  return failures(report);
}

function failures({ steps }: Pick<Report, 'steps'>): string[] {
  return [...new Set(steps.flatMap(({ checks }) => checks.filter(({ ok }) => !ok).map(({ name }) => name)))];
}

function client(bankUrl: string): E2eeClient {
  return createE2eeClient({
    profile: banked,
    encryptionKeys: remoteJwks(`${bankUrl}/.well-known/jwks.json`),
    onEvent: () => {},
  });
}

function without(operation: string, field: string): PolicyDocument {
  const { [field]: _, ...rows } = banked.policy[operation] ?? {};
  return { ...banked.policy, [operation]: rows };
}

describe('the demo fails', () => {
  test('when the merchant has no encryption installed', async () => {
    const failed = await failuresOf({ install: () => {} });
    expect(failed).toContain('nothing sensitive readable in the request');
    expect(failed).toContain('one call, answered 201');
  });

  test('when both ends have forgotten a row of the policy', async () => {
    const policy = without(POST, 'payee');
    const install: Install = (api, bankUrl, keyRing) => {
      const encryptionKeys = remoteJwks(`${bankUrl}/.well-known/jwks.json`);
      e2ee(api, { profile: banked, policy, encryptionKeys, ...(keyRing && { keyRing }), onEvent: () => {} });
    };
    const failed = await failuresOf({ install, encryption: { policy } });
    expect(failed).toContain('nothing sensitive readable in the request');
    expect(failed).toContain('nothing sensitive readable in the answer');
    expect(failed).toContain('4 fields encrypted to the bank, nothing else changed');
  });

  test('when the bank has forgotten a row of its answers', async () => {
    const policy = without('GET /v2/payment_sessions/:id', 'payer');
    const install: Install = (api, bankUrl) => e2ee(api, client(bankUrl));
    const failed = await failuresOf({ install, encryption: { policy } });
    expect(failed).toContain('nothing sensitive readable in the answer');
    expect(failed).not.toContain('nothing sensitive readable in the request');
  });

  test('when the merchant cannot open what it gets', async () => {
    const install: Install = (api, bankUrl) => e2ee(api, client(bankUrl));
    expect(await failuresOf({ install })).toContain('merchant got exactly what the handler answered');
  });

  test('when the merchant does not recover from a rejected key', async () => {
    const install: Install = (api, bankUrl) => {
      e2ee(api, { ...bound(client(bankUrl)), recoverFrom: async () => false });
    };
    const failed = await failuresOf({ install });
    expect(failed).toContain('exactly one retry, and it went through');
    expect(failed).toContain('rejected call with the old key, retry with the new one');
  });

  test('when something changes a field on its way to encryption', async () => {
    const install: Install = (api, bankUrl) => {
      e2ee(api, client(bankUrl));
      api.interceptors.request.use((config) => {
        if (config.data) config.data = { ...config.data, payee: 'somebody else' };
        return config;
      });
    };
    expect(await failuresOf({ install })).toContain('handler saw exactly what was written');
  });
});

function bound(end: E2eeClient): E2eeClient {
  return {
    requireTls: end.requireTls,
    covers: (request) => end.covers(request),
    reads: (request, answer) => end.reads(request, answer),
    encryptRequest: (request) => end.encryptRequest(request),
    decryptResponse: (request, response) => end.decryptResponse(request, response),
    recoverFrom: (request, response) => end.recoverFrom(request, response),
  };
}

describe('a single check fails', () => {
  let world: World;
  const observed: Partial<Record<'redact' | 'encrypt' | 'message', Observation>> = {};
  beforeAll(async () => {
    world = await startWorld();
    const intent = { operation: POST, path: pathOf(POST), wrote: payloads[POST] } as const;
    for (const choice of ['redact', 'encrypt', 'message'] as const) {
      observed[choice] = await observe(world, world.partners[choice], intent);
    }
  });
  afterAll(() => world.close());

  function get(choice: 'redact' | 'encrypt' | 'message'): Observation {
    const observation = observed[choice];
    if (!observation) throw new Error('Nothing was observed');
    expect(failures({ steps: [{ checks: checkCall(observation) }] as never })).toEqual([]);
    return observation;
  }

  function failedBy(observation: Observation): string[] {
    return checkCall(observation).flatMap(({ name, ok }) => (ok ? [] : [name]));
  }

  /** The observation with other bytes on the wire. */
  function withWire(
    observation: Observation,
    way: 'request' | 'response',
    change: (message: ReceivedMessage) => Partial<ReceivedMessage>,
  ): Observation {
    const exchanges = observation.exchanges.map((exchange) => ({
      ...exchange,
      [way]: { ...exchange[way], ...change(exchange[way]) },
    }));
    return { ...observation, exchanges };
  }

  function editing(
    edit: (body: Record<string, unknown>) => object,
  ): (m: ReceivedMessage) => Partial<ReceivedMessage> {
    return ({ body }) => ({ body: Buffer.from(JSON.stringify(edit(JSON.parse(body.toString('utf8'))))) });
  }

  test('on plaintext beside the token of a field', () => {
    const edited = withWire(
      get('redact'),
      'request',
      editing((body) => ({ ...body, copy: 'Łódź Books Ltd' })),
    );
    expect(failedBy(edited)).toEqual([
      'nothing sensitive readable in the request',
      '4 fields encrypted to the bank, nothing else changed',
    ]);
  });

  test('on plaintext in a header', () => {
    const edited = withWire(get('redact'), 'response', ({ headers }) => ({
      headers: { ...headers, 'x-payer': 'aoife@example.ie' },
    }));
    expect(failedBy(edited)).toEqual(['nothing sensitive readable in the answer']);
  });

  test('on a token to another key, or of another algorithm', () => {
    const observation = get('encrypt');
    const name = '4 fields encrypted to the bank, nothing else changed';
    expect(failedBy({ ...observation, bankKid: 'other' })).toEqual([name]);
    expect(failedBy({ ...observation, partnerKid: 'other' })).toEqual(['4 fields encrypted to the merchant']);
    const weak = withWire(
      observation,
      'request',
      editing((body) => ({ ...body, encrypted_payee: reheaded(body.encrypted_payee, { enc: 'A128GCM' }) })),
    );
    expect(failedBy(weak)).toEqual([name]);
  });

  test('on a token that is used twice', () => {
    const edited = withWire(
      get('redact'),
      'request',
      editing((body) => ({ ...body, encrypted_payee: body.encrypted_payer })),
    );
    expect(failedBy(edited)).toEqual(['a fresh CEK and IV in each token']);
  });

  test('on a scalar that was not redacted, and on null that was', () => {
    const name = 'sensitive values came back [REDACTED], null stayed null';
    const observation = get('redact');
    const { payer } = observation.got.body as { payer: object };
    for (const member of [{ failed_attempts: 0 }, { verified: false }, { date_of_birth: '[REDACTED]' }]) {
      const body = { ...(observation.got.body as object), payer: { ...payer, ...member } };
      expect(failedBy({ ...observation, got: { status: 201, body } })).toEqual([name]);
    }
  });

  test('on a short or falsy value in plain on the wire', () => {
    const edited = withWire(
      get('redact'),
      'response',
      editing((body) => ({ ...body, payer: { ...(body.payer as object), verified: false } })),
    );
    expect(failedBy(edited)).toEqual(['the answer is plain JSON with masks']);
  });

  test('on a message of another content type', () => {
    const edited = withWire(get('message'), 'response', ({ headers }) => ({
      headers: { ...headers, 'content-type': 'text/plain' },
    }));
    expect(failedBy(edited)).toEqual(['the whole answer is one token, application/jose']);
  });

  test('on a field that came back other than it was answered', () => {
    const observation = get('encrypt');
    const body = { ...(observation.got.body as object), mandate_id: 'another' };
    expect(failedBy({ ...observation, got: { status: 201, body } })).toEqual([
      'merchant got exactly what the handler answered',
    ]);
  });

  test('on a call that was sent twice', () => {
    const observation = get('encrypt');
    const exchanges = [...observation.exchanges, ...observation.exchanges];
    expect(failedBy({ ...observation, exchanges })).toEqual(['one call, answered 201']);
  });
});

/** A token with other members in its header. */
function reheaded(token: unknown, members: object): string {
  const [head = '', ...rest] = String(token).split('.');
  const header = { ...JSON.parse(Buffer.from(head, 'base64url').toString('utf8')), ...members };
  return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
}
