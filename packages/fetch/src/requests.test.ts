import { createE2eeClient, createKeyRing, type E2eeClient, E2eeError, leakGuard } from '@e2ee/core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  Bank,
  bankKeys,
  CANARY,
  localOptions,
  plaintextOf,
  remoteOptions,
  send,
  tokensIn,
} from '../../axios-interceptor/test/bank.js';
import { e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());

const rotated = await createKeyRing();
const fetch = e2ee(localOptions);

const BODY = JSON.stringify({ payee: CANARY });
const JSON_TYPE = { 'content-type': 'application/json' };
const POST = { method: 'POST', headers: JSON_TYPE, body: BODY };
const payments = (): string => `${bank.url}/v2/payments`;

/** A byte for each letter, which is no UTF-8 beyond ASCII. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** What a base fetch was called with. */
function recorder() {
  const calls: Parameters<typeof globalThis.fetch>[] = [];
  const recording: typeof globalThis.fetch = async (...parameters) => {
    calls.push(parameters);
    return globalThis.fetch(...parameters);
  };
  return { calls, recording };
}

describe('a covered request', () => {
  it.each<[string, () => Parameters<typeof fetch>]>([
    ['a text and options', () => [payments(), POST]],
    ['a URL and options', () => [new URL(payments()), POST]],
    ['a Request', () => [new Request(payments(), POST)]],
    ['a Request whose method the options change', () => [new Request(payments(), POST), { method: 'post' }]],
    [
      'a Request whose body the options change',
      () => [new Request(payments(), { ...POST, body: '{}' }), { body: BODY }],
    ],
    [
      'a Request whose headers the options change',
      () => [
        new Request(payments(), { ...POST, headers: { 'content-type': 'text/plain' } }),
        { headers: JSON_TYPE },
      ],
    ],
    [
      'a Request with a stream',
      () => [
        new Request(payments(), { ...POST, body: new Blob([BODY]).stream(), duplex: 'half' } as RequestInit),
      ],
    ],
    ['options that inherit theirs', () => [payments(), Object.create(POST)]],
  ])('is encrypted, given as %s', async (_, make) => {
    const response = await fetch(...make());
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ id: 'p1', payee: CANARY });
    expect(bank.arrivals.flatMap(tokensIn)).toHaveLength(1);
    expect(bank.last).toMatchObject({ method: 'POST', url: '/v2/payments', headers: JSON_TYPE });
    expect(Number(bank.last.headers['content-length'])).toBe(bank.last.body.length);
    expect(bank.wire).not.toContain(CANARY);
  });

  it.each<[string, Uint8Array<ArrayBuffer> | Blob]>([
    ['bytes', new TextEncoder().encode(BODY)],
    ['a blob', new Blob([BODY])],
  ])('is called JSON when it comes as a Request of %s without a type', async (_, body) => {
    await fetch(new Request(payments(), { method: 'POST', body }));
    expect(bank.last.headers['content-type']).toBe('application/json');
    expect(bank.handled).toHaveLength(1);
  });

  it('is the one that the parameters said when they were read, also when they say something else each time', async () => {
    const { calls, recording } = recorder();
    const turning = (...texts: string[]) => ({ toString: () => String(texts.shift()) }) as never;
    const api = e2ee({ ...localOptions, fetch: recording });
    await api(turning(payments(), `${bank.url}/v1/open`), { ...POST, method: turning('POST', 'PUT') });
    await api(turning(`${bank.url}/v1/open`, payments()), { method: turning('PUT', 'POST'), body: '{}' });
    expect(calls.map(([input, init]) => [input, init?.method])).toEqual([
      [payments(), 'POST'],
      [`${bank.url}/v1/open`, 'PUT'],
    ]);
    expect(bank.arrivals.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v2/payments',
      'PUT /v1/open',
    ]);
    expect(bank.wire).not.toContain(CANARY);
  });

  it.each<[string, RequestInit]>([
    ['with one', { referrer: 'https://shop.example/checkout', referrerPolicy: 'unsafe-url' }],
    ['without one', { referrer: '', referrerPolicy: 'no-referrer' }],
    ['of no wish', {}],
  ])('says of a Request %s what the Request says of its referrer', async (_, init) => {
    const { calls, recording } = recorder();
    const request = new Request(payments(), { ...POST, ...init });
    const api = e2ee({ ...localOptions, fetch: recording });
    const secured = e2ee({ ...localOptions, fetch: recording, requireTls: true });
    await api(request);
    await secured(request);
    await secured(new Request(`${bank.url}/v1/open`, { ...init }));
    for (const [, given] of calls) {
      const { referrer, referrerPolicy } = new Request(payments(), { ...given, method: 'GET', body: null });
      expect([referrer, referrerPolicy]).toEqual([request.referrer, request.referrerPolicy]);
    }
    await api(request, { keepalive: true }); // with which fetch itself forgets it
    expect(calls.at(-1)?.[1]).not.toHaveProperty('referrer');
  });

  it('of a whole message says so in its type', async () => {
    const response = await fetch(`${bank.url}/v2/messages`, POST);
    expect(bank.last.headers['content-type']).toBe('application/jose');
    expect(await plaintextOf(bank.last.body)).toBe(BODY);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ id: 'p1', payee: CANARY });
  });

  it.each<[string, () => Parameters<typeof fetch>]>([
    ['bytes', () => [payments(), { ...POST, body: new TextEncoder().encode(BODY) }]],
    ['no bytes at all', () => [payments(), { ...POST, body: new Uint8Array() }]],
    ['a form', () => [payments(), { method: 'POST', body: new FormData() }]],
    [
      'what becomes JSON only as a text',
      () => [payments(), { ...POST, body: { toString: () => BODY } } as never],
    ],
    [
      'a text without a type, which fetch calls text/plain',
      () => [payments(), { method: 'POST', body: BODY }],
    ],
    [
      'a Request of a text called text/plain',
      () => [new Request(payments(), { ...POST, headers: { 'content-type': 'text/plain' } })],
    ],
    [
      'a Request of bytes that are no text',
      () => [new Request(payments(), { ...POST, body: bytesOf(BODY.replace(CANARY, '\xff')) })],
    ],
    ['a Request as options, whose body is a stream', () => [payments(), new Request(payments(), POST)]],
  ])('is not sent with %s', async (_, make) => {
    const error = await fetch(...make()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(E2eeError);
    expect(['body_unreadable', 'media_type_unsupported']).toContain((error as E2eeError).code);
    expect(bank.arrivals).toEqual([]);
  });

  it('is not sent when the Request was read before, which fetch itself refuses too', async () => {
    const request = new Request(payments(), POST);
    await request.text();
    await expect(fetch(request)).rejects.toThrow(TypeError);
    expect(bank.arrivals).toEqual([]);
  });

  it('is the one that was asked for, whatever the caller changes afterwards', async () => {
    const url = new URL(`${bank.url}/v1/open`);
    const headers: Record<string, string> = { ...JSON_TYPE, 'x-number': '1' };
    const init = { method: 'POST', headers, body: '{"n":1}' };
    const calls = [fetch(url, init)];
    url.pathname = '/v2/payments';
    Object.assign(headers, { 'x-number': '2' });
    init.body = BODY;
    calls.push(fetch(url, init));
    Object.assign(init, { method: 'PUT', body: '{}' });
    await Promise.all(calls);
    const arrived = bank.arrivals.map(({ url: path, headers: sent }) => [path, sent['x-number']]);
    expect(arrived.sort()).toEqual([
      ['/v1/open', '1'],
      ['/v2/payments', '2'],
    ]);
    expect(bank.wire).not.toContain(CANARY);
    expect(bank.wire).toContain('{"n":1}');
  });

  it('has everything else that fetch was asked for, which the platform may know better than we do', async () => {
    const { calls, recording } = recorder();
    const own = { cache: 'no-store', credentials: 'omit', keepalive: true, cf: { cacheTtl: 1 } } as const;
    await e2ee({ ...localOptions, fetch: recording })(payments(), { ...POST, ...own });
    expect(calls).toEqual([[payments(), expect.objectContaining({ ...own, method: 'POST' })]]);
  });

  it('keeps the body of a Request for its own use, so that it can be sent again', async () => {
    const request = new Request(payments(), POST);
    await fetch(request);
    await fetch(request);
    expect(new Set(bank.arrivals.flatMap(tokensIn)).size).toBe(2);
    expect(bank.handled.map(({ body }) => body)).toEqual([JSON.parse(BODY), JSON.parse(BODY)]);
  });

  it('is encrypted again for a new key from the same Request, once the bank has rejected the old one', async () => {
    const api = e2ee(remoteOptions(bank));
    await api(payments(), POST);
    bank.reset(rotated);
    const response = await api(new Request(payments(), { ...POST, headers: { ...JSON_TYPE, 'x-id': '1' } }));
    expect(await response.json()).toEqual({ id: 'p1', payee: CANARY });
    expect(bank.arrivals.map(({ headers }) => headers['x-id'])).toEqual(['1', '1']);
    expect(bank.keyFetches).toBe(1);
    expect(bank.handled).toHaveLength(1);
    bank.reset(bankKeys);
  });

  it('whose query repeats a protected value is refused by a guard against leaks', async () => {
    const api = e2ee({ ...localOptions, leakGuard });
    const body = JSON.stringify({ payee: 'John Doe' });
    const queries = [`q=${CANARY}`, new URLSearchParams({ q: 'John Doe' }), 'q=%4aohn%20Doe'];
    for (const query of queries) {
      const call = api(`${payments()}?${query}`, { ...POST, ...(query !== queries[0] && { body }) });
      await expect(call).rejects.toMatchObject({ code: 'leak_refused' });
    }
    expect(bank.arrivals).toEqual([]);
  });

  it('whose rules are for the answer only is sent as it is, also when it is no text', async () => {
    const policy = { 'POST /v2/uploads': { secret: { response: 'encrypt' } } } as const;
    const api = e2ee({ ...localOptions, policy });
    const bytes = Uint8Array.of(0, 0xff, 0xfe);
    const init = { method: 'POST', body: bytes };
    await api(`${bank.url}/v2/uploads`, init);
    await api(new Request(`${bank.url}/v2/uploads`, init));
    expect(bank.arrivals.map(({ body }) => [...body])).toEqual([[...bytes], [...bytes]]);
  });
});

describe('what the policy does not cover', () => {
  it('is given to the fetch beneath as it came', async () => {
    const { calls, recording } = recorder();
    const body = new URLSearchParams({ a: '1' });
    const { signal } = new AbortController();
    const request = new Request(`${bank.url}/v1/open`);
    const api = e2ee({ ...localOptions, fetch: recording });
    await api(`${bank.url}/v1/open?x=1`, { method: 'POST', body, signal, redirect: 'manual' });
    await api(request);
    expect(calls).toEqual([
      [`${bank.url}/v1/open?x=1`, { method: 'POST', body, signal, redirect: 'manual' }],
      [request, {}],
    ]);
    expect([calls[0]?.[1]?.body, calls[0]?.[1]?.signal, calls[1]?.[0]]).toEqual([body, signal, request]);
    expect(calls[1]?.[0]).toBe(request);
  });

  it('may have a Request in place of the options', async () => {
    const init = { method: 'PUT', headers: { 'x-own': '1' }, body: 'open' };
    await fetch(`${bank.url}/v1/open`, new Request(`${bank.url}/other`, init));
    expect(bank.last).toMatchObject({ method: 'PUT', url: '/v1/open', headers: { 'x-own': '1' } });
    expect(bank.last.body.toString()).toBe('open');
  });

  it('streams up and down without being read', async () => {
    bank.intercept = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n'); // and no end
      return true;
    };
    const response = await fetch(`${bank.url}/v1/open`, {
      method: 'POST',
      body: new Blob(['up']).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(bank.last.body.toString()).toBe('up');
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(new TextDecoder().decode(value)).toBe('data: 1\n\n');
    await reader?.cancel();
  });

  it('is not waited for, when a Request holds a stream without an end', async () => {
    const body = new ReadableStream();
    const request = new Request(`${bank.url}/v1/open`, {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit);
    const api = e2ee({ ...localOptions, fetch: async (input) => new Response(String(input === request)) });
    expect(await (await api(request)).text()).toBe('true');
  });

  it('is refused where the application says so', async () => {
    const api = e2ee({ ...localOptions, unmatched: 'refuse' });
    await expect(api(`${bank.url}/v1/open`, POST)).rejects.toMatchObject({ code: 'operation_refused' });
    expect(bank.arrivals).toEqual([]);
  });
});

describe('a signal', () => {
  const waiting = {
    ...localOptions,
    encryptionKeys: { refresh: async () => {}, current: () => new Promise<never>(() => {}) },
  };

  it.each<[string, (signal: AbortSignal) => Parameters<typeof fetch>]>([
    ['in the options', (signal) => [payments(), { ...POST, signal }]],
    ['in a Request', (signal) => [new Request(payments(), { ...POST, signal })]],
  ])('%s ends a call at once that waits for keys', async (_, make) => {
    const controller = new AbortController();
    const call = e2ee(waiting)(...make(controller.signal));
    controller.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(bank.arrivals).toEqual([]);
  });

  it('that has fired sends nothing, not even to ask for keys, and gives its own reason', async () => {
    const reason = new Error('given up');
    const call = e2ee(remoteOptions(bank))(payments(), { ...POST, signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
    expect([bank.arrivals.length, bank.keyFetches]).toEqual([0, 0]);
  });

  it('that fires during encryption keeps a fetch beneath from sending that heeds none', async () => {
    const controller = new AbortController();
    const client = createE2eeClient(localOptions);
    const sent: unknown[] = [];
    const aborting: E2eeClient = {
      requireTls: false,
      covers: (request) => client.covers(request),
      reads: (request, answer) => client.reads(request, answer),
      encryptRequest: async (request) => {
        const sealed = await client.encryptRequest(request);
        controller.abort();
        return sealed;
      },
      decryptResponse: (request, response) => client.decryptResponse(request, response),
      recoverFrom: (request, response) => client.recoverFrom(request, response),
    };
    const deaf: typeof globalThis.fetch = async (input) => {
      sent.push(input);
      return new Response();
    };
    const call = e2ee(aborting, { fetch: deaf })(payments(), { ...POST, signal: controller.signal });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await new Promise((done) => setTimeout(done));
    expect(sent).toEqual([]);
  });

  it('of null in the options stands for none, whatever the Request has', async () => {
    const request = new Request(payments(), { ...POST, signal: AbortSignal.abort() });
    expect((await fetch(request, { signal: null })).status).toBe(201);
  });
});

describe('errors', () => {
  it('of fetch itself come as they are', async () => {
    const failure = new TypeError('fetch failed');
    const api = e2ee({ ...localOptions, fetch: () => Promise.reject(failure) });
    await expect(api(payments(), POST)).rejects.toBe(failure);
    await expect(fetch('http://[', POST)).rejects.toThrow(TypeError);
    await expect(fetch(payments(), { ...POST, headers: { 'a b': '' } })).rejects.toThrow(TypeError);
  });

  it('of encryption come as they are', async () => {
    const keys_unavailable = new E2eeError('keys_unavailable', 'none');
    const encryptionKeys = { refresh: async () => {}, current: () => Promise.reject(keys_unavailable) };
    await expect(e2ee({ ...localOptions, encryptionKeys })(payments(), POST)).rejects.toBe(keys_unavailable);
  });

  it('of an answer that cannot be decrypted say its status', async () => {
    bank.intercept = (_, response) => {
      send(response, { status: 202, headers: JSON_TYPE, body: { encrypted_payee: 'a.b.c.d.e' } });
      return true;
    };
    const error = await fetch(payments(), POST).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'token_invalid', message: expect.stringContaining('of status 202') });
  });
});

it('an answer that is refused for a field names the field', async () => {
  const api = e2ee({ ...localOptions, plaintext: 'refuse', onEvent: () => {} });
  bank.intercept = (_, response) => {
    send(response, { status: 201, headers: JSON_TYPE, body: { payee: 'x' } });
    return true;
  };
  await expect(api(payments(), POST)).rejects.toMatchObject({ code: 'plaintext_refused', path: 'payee' });
});

it('a client end made beforehand may serve several', async () => {
  const client = createE2eeClient(remoteOptions(bank));
  const { calls, recording } = recorder();
  await e2ee(client)(payments(), POST);
  await e2ee(client, { fetch: recording })(payments(), POST);
  expect([bank.keyFetches, bank.arrivals.flatMap(tokensIn).length, calls.length]).toEqual([1, 2, 1]);
});
