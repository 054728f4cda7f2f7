import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { createE2eeClient, type E2eeEvent } from '@e2ee/core';
import axios, { type AxiosError, type AxiosResponse } from 'axios';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bank, CANARY, localOptions, send } from '../test/bank.js';
import { ADAPTERS, createApi, createPlain, failureOf } from '../test/calls.js';
import { e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());

const body = { payee: { name: CANARY }, actions: [{ source: CANARY }], amount: 1 };
const json = { 'content-type': 'application/json' };
const choose = (response: string) => ({ headers: { 'x-response': response } });

describe.each(ADAPTERS)('a response over the %s adapter', (adapter) => {
  const api = createApi(bank, adapter);
  /** What the API answered before anything was decrypted. */
  const captured = async (config = {}): Promise<string> => {
    const { data } = await createPlain(bank, adapter, { transformResponse: [(data) => data] }).post(
      '/v2/payments',
      {},
      config,
    );
    return String(data);
  };

  it('comes back in plain where it was encrypted, and redacted where it was redacted', async () => {
    const { data } = await api.post('/v2/payments', body);
    expect(data).toEqual({ id: 'p1', ...body, actions: [{ source: '[REDACTED]' }] });
    bank.handle = () => ({ status: 200, headers: json, body });
    expect(await captured()).not.toContain(CANARY);
  });

  it.each([
    ['encrypt', CANARY],
    ['redact', '[REDACTED]'],
    ['none', '[REDACTED]'],
    ['message', CANARY],
  ])('for a recipient that chose "%s" has the name %s', async (choice, name) => {
    const { data, headers } = await api.post('/v2/payments', body, choose(choice));
    expect(data.payee).toEqual({ name });
    expect(headers['content-type']).toBe('application/json');
  });

  it('gives back every JSON value exactly', async () => {
    const values = [0, false, '', null, '007', '1234567890123456789', [], {}, 'ü€\u{1F511}', 1e21, [[null]]];
    const sent = values.map((payee) => api.post('/v2/payments', { payee }));
    expect((await Promise.all(sent)).map(({ data }) => data.payee)).toStrictEqual(values);
  });

  it('of a request without a body is decrypted too', async () => {
    bank.handle = () => ({ status: 200, headers: json, body: { payee: CANARY } });
    expect((await api.get('/v2/payments/1')).data).toEqual({ payee: CANARY });
    expect((await api.get('/V2/payments/1/?x=1')).data).toEqual({ payee: CANARY });
  });

  it.each([400, 401, 404, 409, 422, 429, 500, 503])(
    'of status %i is decrypted in the error',
    async (status) => {
      bank.handle = () => ({ status, headers: json, body: { title: 'no', payee: CANARY } });
      const error = await failureOf(api.post('/v2/payments', body));
      expect(axios.isAxiosError(error)).toBe(true);
      const { response } = error as AxiosError;
      expect(response?.status).toBe(status);
      expect(response?.data).toEqual({ title: 'no', payee: CANARY });
    },
  );

  it('that is one token and an error is decrypted in the error', async () => {
    bank.handle = () => ({ status: 409, headers: json, body: { payee: CANARY } });
    const error = await failureOf(api.post('/v2/messages', body));
    expect((error as AxiosError).response?.data).toEqual({ payee: CANARY });
    expect((error as AxiosError).response?.headers['content-type']).toBe('application/json');
  });

  it.each<[string, object]>([
    ['accepts all', { validateStatus: () => true }],
    ['is null', { validateStatus: null }],
    ['is undefined', { validateStatus: undefined }],
  ])('is judged by validateStatus: one that %s', async (_, config) => {
    bank.handle = () => ({ status: 500, headers: json, body: { payee: CANARY } });
    const { status, data } = await api.post('/v2/payments', body, config);
    expect([status, data]).toEqual([500, { payee: CANARY }]);
  });

  it('is judged by validateStatus: one that accepts nothing', async () => {
    const error = await failureOf(api.post('/v2/payments', body, { validateStatus: () => false }));
    expect((error as AxiosError<typeof body>).response?.data.payee).toEqual(body.payee);
  });

  it('without content stays without content', async () => {
    bank.intercept = (_, response) => {
      response.writeHead(204).end();
      return true;
    };
    const { status, data } = await api.post('/v2/payments', body);
    expect([status, data]).toEqual([204, '']);
  });

  it('that is not JSON is left as it is', async () => {
    bank.intercept = (_, response) => {
      send(response, { status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>Bad gateway</h1>' });
      return true;
    };
    const error = await failureOf(api.post('/v2/payments', body));
    expect((error as AxiosError).response?.data).toBe('<h1>Bad gateway</h1>');
  });

  it('of an uncovered operation is left as it is', async () => {
    const token = JSON.parse(await captured()).id;
    bank.handle = () => ({ status: 200, headers: json, body: { encrypted_payee: token, payee: 1 } });
    expect((await api.get('/v1/open')).data).toEqual({ encrypted_payee: token, payee: 1 });
  });

  describe.each(['encrypt', 'message'])('with the choice "%s"', (choice) => {
    it('is JSON text for responseType text', async () => {
      const { data } = await api.post('/v2/payments', body, { ...choose(choice), responseType: 'text' });
      expect(typeof data).toBe('string');
      expect(JSON.parse(data).payee).toEqual(body.payee);
    });

    it('is an object for responseType json', async () => {
      const { data } = await api.post('/v2/payments', body, { ...choose(choice), responseType: 'json' });
      expect(data.payee).toEqual(body.payee);
    });

    it('is decrypted bytes for responseType arraybuffer', async () => {
      const options = { ...choose(choice), responseType: 'arraybuffer' } as const;
      const { data } = await api.post('/v2/payments', body, options);
      const { data: plain } = await createPlain(bank, adapter).get('/v1/open', options);
      expect(data.constructor).toBe(plain.constructor);
      expect(JSON.parse(new TextDecoder().decode(data)).payee).toEqual(body.payee);
    });

    it('is left as it came for responseType stream, to be read by the caller', async () => {
      const { data } = await api.post('/v2/payments', body, { ...choose(choice), responseType: 'stream' });
      const read = await text(data as IncomingMessage);
      expect(read).toContain('eyJ');
      expect(read).not.toContain(CANARY);
    });

    it('reaches transformResponse in plain', async () => {
      const seen: unknown[] = [];
      const { data } = await api.post('/v2/payments', body, {
        ...choose(choice),
        transformResponse: [
          (text) => {
            seen.push(typeof text);
            return JSON.parse(text);
          },
          (data) => ({ wrapped: data.payee }),
        ],
      });
      expect(data).toEqual({ wrapped: body.payee });
      expect(seen).toEqual(['string']);
    });
  });

  it('keeps its headers, those with several values too, but those that describe the encrypted bytes', async () => {
    bank.handle = () => ({
      status: 200,
      headers: {
        ...json,
        etag: '"e"',
        'x-request-id': 'r',
        'set-cookie': ['a=1', 'b=2'] as unknown as string,
      },
      body,
    });
    const { headers } = await api.post('/v2/payments', body);
    const { headers: plain } = await createPlain(bank, adapter).get('/v1/open');
    expect(headers['x-request-id']).toBe('r');
    expect(headers['set-cookie']).toEqual(plain['set-cookie']);
    expect(headers['content-length'] ?? headers.etag).toBeUndefined();
  });

  it('that is refused for a field names the field', async () => {
    const strict = createPlain(bank, adapter);
    e2ee(strict, { ...localOptions, plaintext: 'refuse', onEvent: () => {} });
    bank.intercept = (_, response) => {
      send(response, { status: 201, headers: json, body: { payee: CANARY } });
      return true;
    };
    const failure = await failureOf(strict.post('/v2/payments', body));
    expect(failure).toMatchObject({ code: 'plaintext_refused', path: 'payee' });
  });

  it('with a token that cannot be decrypted is a typed error', async () => {
    bank.intercept = (_, response) => {
      const token = `eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.${'A'.repeat(342)}.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA`;
      send(response, { status: 200, headers: json, body: { encrypted_payee: token } });
      return true;
    };
    await expect(api.post('/v2/payments', body)).rejects.toMatchObject({ code: 'token_invalid' });
  });

  it('to a client end without a key ring is left encrypted', async () => {
    const keyless = createPlain(bank, adapter);
    const events: E2eeEvent[] = [];
    const { profile, encryptionKeys } = localOptions;
    e2ee(keyless, { profile, encryptionKeys, onEvent: (event) => events.push(event) });
    const { data } = await keyless.post('/v2/payments', { payee: CANARY });
    expect(Object.keys(data)).toEqual(['id', 'encrypted_payee']);
    expect(events).toEqual([{ type: 'ciphertext_left', operation: 'POST /v2/payments', path: 'payee' }]);
  });

  it('that should have been protected but came in plain is handed on and reported', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    bank.intercept = (_, response) => {
      send(response, { status: 200, headers: json, body: { payee: CANARY } });
      return true;
    };
    const { data } = await api.post('/v2/payments', body);
    expect(data).toEqual({ payee: CANARY });
    expect(warn.mock.calls.flat()).toEqual(['[e2ee] plaintext_received: POST /v2/payments, field payee']);
    warn.mockRestore();
  });

  it('can be read, written, spread, copied and serialised like any other', async () => {
    const response: AxiosResponse = await api.post('/v2/payments', body);
    const copy = { ...response };
    expect(copy.data.payee).toEqual(body.payee);
    expect(JSON.parse(JSON.stringify({ data: response.data })).data.payee).toEqual(body.payee);
    response.data = 'other';
    expect(response.data).toBe('other');
    expect(Object.keys(response)).toContain('data');
  });
});

describe('a custom adapter', () => {
  it('may answer with an object instead of text', async () => {
    const client = createE2eeClient(localOptions);
    const api = axios.create({
      adapter: async (config) => {
        const { data, status, headers } = await axios.request({
          url: `${bank.url}${config.url}`,
          method: 'post',
          data: config.data,
          headers: { 'Content-Type': 'application/json' },
        });
        return { data, status, statusText: '', headers, config };
      },
    });
    e2ee(api, client);
    const { data } = await api.post('/v2/payments', body);
    expect(data.payee).toEqual(body.payee);
  });
});
