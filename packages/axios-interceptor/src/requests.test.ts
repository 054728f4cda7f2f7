import { Readable } from 'node:stream';
import { E2eeError } from '@e2ee/core';
import type { AxiosInstance, AxiosResponse } from 'axios';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Arrival, Bank, CANARY, plaintextOf, tokensIn } from '../test/bank.js';
import { ADAPTERS, type AdapterName, createApi, createPlain, failureOf, isLowest } from '../test/calls.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());

const payment = {
  amount: '10.00',
  payee: { name: CANARY, account_number: '12345678' },
  mandate_id: `${CANARY}-mandate`,
  actions: [{ source: { iban: CANARY }, kind: 'a' }, { kind: 'b' }, { source: 0 }],
  meta: { public: 'shown', note: CANARY, empty: null },
};

describe.each(ADAPTERS)('a covered request over the %s adapter', (adapter) => {
  const api = createApi(bank, adapter);

  it('leaves with its sensitive fields encrypted, each as its row says, and everything else as it was', async () => {
    await api.post('/v2/payments', payment);
    const sent = JSON.parse(bank.last.body.toString());
    expect(bank.wire).not.toContain(CANARY);
    expect(Object.keys(sent)).toEqual([
      'amount',
      'encrypted_payee',
      'encrypted_mandate_id',
      'actions',
      'meta',
    ]);
    expect(sent.amount).toBe('10.00');
    expect(JSON.parse(await plaintextOf(sent.encrypted_payee))).toEqual(payment.payee);
    expect(await plaintextOf(sent.encrypted_mandate_id)).toBe(`${CANARY}-mandate`);
    expect(sent.actions.map(Object.keys)).toEqual([
      ['encrypted_source', 'kind'],
      ['kind'],
      ['encrypted_source'],
    ]);
    expect(await plaintextOf(sent.actions[2].encrypted_source)).toBe('0');
    expect(Object.keys(sent.meta)).toEqual(['public', 'encrypted_note', 'encrypted_empty']);
    expect(sent.meta.public).toBe('shown');
    expect(bank.handled[0]?.body).toEqual(payment);
  });

  it('is announced as JSON of its new length', async () => {
    await api.post('/v2/payments', payment, { headers: { 'Content-Length': '7', 'X-Trace': 't' } });
    expect(bank.last.headers).toMatchObject({ 'content-type': 'application/json', 'x-trace': 't' });
    expect(Number(bank.last.headers['content-length'])).toBe(bank.last.body.length);
  });

  it('keeps the headers of the caller as they are, those with several values too', async () => {
    const headers = { 'X-Many': ['a', 'b'], 'Idempotency-Key': 'k-1', 'X-Empty': '' };
    await createPlain(bank, adapter).post('/v1/open', {}, { headers });
    await api.post('/v2/payments', payment, { headers });
    const [plain, encrypted] = bank.arrivals.map(withoutLength);
    expect(encrypted).toEqual(plain);
  });

  it('uses a content encryption key and an initialisation vector of its own for every value', async () => {
    await Promise.all([api.post('/v2/payments', payment), api.post('/v2/payments', payment)]);
    const tokens = bank.arrivals.flatMap(tokensIn).map((token) => token.split('.'));
    expect(tokens).toHaveLength(12);
    expect(new Set(tokens.map(([, key]) => key)).size).toBe(12);
    expect(new Set(tokens.map(([, , iv]) => iv)).size).toBe(12);
  });

  it('is one token, announced as such, where the row covers the whole body', async () => {
    const { data } = await api.post('/v2/messages', { deep: [CANARY] });
    expect(bank.last.headers['content-type']).toBe('application/jose');
    expect(bank.last.body.toString()).toMatch(/^eyJ[\w-]+(?:\.[\w-]+){4}$/);
    expect(JSON.parse(await plaintextOf(bank.last.body))).toEqual({ deep: [CANARY] });
    expect(data).toEqual({ id: 'p1', deep: [CANARY] });
  });

  const body = { payee: CANARY };
  it.each<[string, (api: AxiosInstance) => Promise<AxiosResponse>]>([
    ['api(config)', (api) => api({ method: 'post', url: '/v2/payments', data: body })],
    ['api(url, config)', (api) => api('/v2/payments', { method: 'POST', data: body })],
    ['api.request(config)', (api) => api.request({ method: 'POST', url: '/v2/payments', data: body })],
    ['api.post', (api) => api.post('/v2/payments', body)],
    ['api.put', (api) => api.put('/v2/payments/1', body)],
    ['api.patch', (api) => api.patch('/v2/payments/1', body)],
    ['api.delete with data', (api) => api.delete('/v2/payments/1', { data: body })],
    ['a string of JSON', (api) => api.post('/v2/payments', JSON.stringify(body), json)],
    [
      'an instance of a class',
      (api) =>
        api.post(
          '/v2/payments',
          new (class {
            payee = CANARY;
          })(),
        ),
    ],
    ['an object with toJSON', (api) => api.post('/v2/payments', { toJSON: () => body })],
    [
      'a body without a prototype',
      (api) => api.post('/v2/payments', Object.assign(Object.create(null), body)),
    ],
    ['form data announced as JSON', (api) => api.post('/v2/payments', formOf(body), json)],
    ['a suffixed JSON type', (api) => api.post('/v2/payments', body, typed('application/vnd.api+json'))],
  ])('is encrypted when it is made by %s', async (_, call) => {
    await call(api);
    expect(bank.arrivals).toHaveLength(1);
    expect(bank.wire).not.toContain(CANARY);
    expect(bank.handled[0]?.body).toEqual(body);
  });

  it('goes without a body when it has none', async () => {
    await api.post('/v2/payments');
    await api.delete('/v2/payments/1');
    expect(bank.arrivals.map(({ body }) => body.length)).toEqual([0, 0]);
  });
});

describe('a covered request that cannot be encrypted', () => {
  const api = createApi(bank, 'http'); // it never gets to an adapter
  const body = { payee: CANARY };

  it.each<[string, (api: AxiosInstance) => Promise<unknown>]>([
    ['a Buffer', (api) => api.post('/v2/payments', Buffer.from(JSON.stringify(body)), json)],
    ['a Uint8Array', (api) => api.post('/v2/payments', new TextEncoder().encode(JSON.stringify(body)), json)],
    ['an ArrayBuffer', (api) => api.post('/v2/payments', new TextEncoder().encode(CANARY).buffer, json)],
    ['a Buffer without a type', (api) => api.post('/v2/payments', Buffer.from(CANARY))],
    ['a stream', (api) => api.post('/v2/payments', Readable.from([CANARY]), json)],
    ['a web stream', (api) => api.post('/v2/payments', new Blob([CANARY]).stream(), json)],
    ['a Blob', (api) => api.post('/v2/payments', new Blob([CANARY]), json)],
    ['FormData', (api) => api.post('/v2/payments', formOf(body))],
    ['postForm', (api) => api.postForm('/v2/payments', body)],
    ['putForm', (api) => api.putForm('/v2/payments/1', body)],
    [
      'a form-urlencoded object',
      (api) => api.post('/v2/payments', body, typed('application/x-www-form-urlencoded')),
    ],
    ['URLSearchParams', (api) => api.post('/v2/payments', new URLSearchParams(body))],
    ['URLSearchParams as JSON', (api) => api.post('/v2/payments', new URLSearchParams(body), json)],
    ['text that is not JSON', (api) => api.post('/v2/payments', CANARY, typed('text/plain'))],
    ['text without a type', (api) => api.post('/v2/payments', CANARY)],
    ['JSON text without a type', (api) => api.post('/v2/payments', JSON.stringify(body))],
    ['JSON text as text/plain', (api) => api.post('/v2/payments', JSON.stringify(body), typed('text/plain'))],
    ['text that is announced as JSON', (api) => api.post('/v2/payments', `{"payee":"${CANARY}"`, raw)],
    [
      'JSON in another charset',
      (api) => api.post('/v2/payments', body, typed('application/json; charset=utf-16')),
    ],
    ['an array where an object is due', (api) => api.post('/v2/payments', [CANARY])],
    [
      'a value that is not text under a text row',
      (api) => api.post('/v2/payments', { mandate_id: [CANARY] }),
    ],
    [
      'plain and encrypted form together',
      (api) => api.post('/v2/payments', { payee: CANARY, encrypted_payee: 'x' }),
    ],
    ['a whole message that is a form', (api) => api.postForm('/v2/messages', body)],
    ['a whole message of bytes', (api) => api.post('/v2/messages', Buffer.from(CANARY), json)],
    ['a body without a required field', (api) => api.post('/v2/required', {})],
    ['no body where a field is required', (api) => api.post('/v2/required')],
  ])('is refused and not sent when it is %s', async (_, call) => {
    const error = await failureOf(call(api));
    expect(error).toBeInstanceOf(E2eeError);
    expect((error as E2eeError).code).toMatch(/^(?:body_unreadable|media_type_unsupported|field_\w+)$/);
    expect((error as E2eeError).message).not.toContain(CANARY);
    expect(bank.arrivals).toHaveLength(0);
  });

  it('is refused and not sent when it has a cycle or a number without a JSON form', async () => {
    const cycle: Record<string, unknown> = { payee: CANARY };
    cycle.self = cycle;
    // Before 1.8 axios throws at once, when it copies the config.
    await expect((async () => api.post('/v2/payments', cycle))()).rejects.toThrow();
    await expect(api.post('/v2/payments', { payee: 1n })).rejects.toThrow();
    expect(bank.arrivals).toHaveLength(0);
  });
});

describe.each(ADAPTERS)('an uncovered request over the %s adapter', (adapter) => {
  const kinds: [string, (api: AxiosInstance) => Promise<unknown>][] = [
    ['an object', (api) => api.post('/v1/open', { payee: 'x', n: [1.5, null], u: undefined })],
    ['a string', (api) => api.post('/v1/open', 'just text')],
    ['a JSON string', (api) => api.post('/v1/open', ' {"a": 1.0} ')],
    ['a JSON string with its type', (api) => api.post('/v1/open', ' {"a": 1.0} ', json)],
    ['an empty string', (api) => api.post('/v1/open', '')],
    ['null', (api) => api.post('/v1/open', null)],
    ['zero', (api) => api.post('/v1/open', 0, json)],
    ['false', (api) => api.post('/v1/open', false, json)],
    ['nothing', (api) => api.post('/v1/open')],
    ['a Buffer', (api) => api.put('/v1/open', Buffer.from([0, 255, 10, 13, 128]))],
    ['an ArrayBuffer', (api) => api.patch('/v1/open', new Uint8Array([1, 2, 254]).buffer)],
    ['a stream', (api) => api.post('/v1/open', streamFor(adapter), typed('application/octet-stream'))],
    ['FormData', (api) => api.post('/v1/open', formOf({ a: '1', b: 'ü' }))],
    ['postForm', (api) => api.postForm('/v1/open', { a: 1, b: [2, 3] })],
    ['URLSearchParams', (api) => api.post('/v1/open', new URLSearchParams({ a: '1 2', b: '&' }))],
    ['a query', (api) => api.get('/v1/open', { params: { a: [1, 2], b: 'x y' } })],
    ['delete', (api) => api.delete('/v1/open')],
    ['head', (api) => api.head('/v1/open')],
    ['options', (api) => api.options('/v1/open')],
    ['another method on a covered path', (api) => api.put('/v2/payments', { payee: 'open' })],
    ['credentials', (api) => api.get('/v1/open', { auth: { username: 'u', password: 'p' } })],
    ['its own content type', (api) => api.post('/v1/open', '<a/>', typed('application/xml'))],
  ];

  it.each(kinds)('is untouched, byte for byte, when it has %s', async (_, call) => {
    await call(createPlain(bank, adapter));
    await call(createApi(bank, adapter));
    const [plain, ours] = bank.arrivals.map(comparable);
    expect(plain).toBeDefined();
    expect(ours).toEqual(plain);
  });

  it.skipIf(isLowest)('reports the progress of its upload', async () => {
    let loaded = 0;
    await createApi(bank, adapter).post('/v1/open', 'x'.repeat(70_000), {
      onUploadProgress: (event) => {
        loaded = event.loaded;
      },
    });
    expect(bank.last.body).toHaveLength(70_000);
    await expect.poll(() => loaded).toBe(70_000);
  });
});

const json = typed('application/json');
/** Announced as JSON after axios has left the text as it is. */
const raw = { ...json, transformRequest: (data: unknown) => data };

function typed(type: string): { headers: { 'Content-Type': string } } {
  return { headers: { 'Content-Type': type } };
}

function formOf(fields: Record<string, string>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

function streamFor(adapter: AdapterName): unknown {
  return adapter === 'http' ? Readable.from(['one', 'two']) : new Blob(['onetwo']).stream();
}

/** A request without what is random in it. */
function comparable({ method, url, rawHeaders, body }: Arrival): unknown {
  const fixed = (text: string): string =>
    text.replaceAll(/(?:-+formdata-undici-|-{20,}|axios-[\d.]+-boundary-)[\w-]+/g, 'BOUNDARY');
  return { method, url, rawHeaders: rawHeaders.map(fixed), body: fixed(body.toString('latin1')) };
}

function withoutLength({ rawHeaders }: Arrival): string[] {
  const lines = rawHeaders.flatMap((name, i) => (i % 2 ? [] : [`${name}: ${rawHeaders[i + 1]}`]));
  return lines.filter((line) => !/^content-length/i.test(line)).sort();
}
