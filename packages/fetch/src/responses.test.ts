import { inspect } from 'node:util';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Bank, CANARY, localOptions, profile, send } from '../../axios-interceptor/test/bank.js';
import { e2ee } from './index.js';

const bank = await new Bank().start();
afterAll(() => bank.close());
beforeEach(() => bank.reset());

const fetch = e2ee(localOptions);

const JSON_TYPE = { 'content-type': 'application/json' };
const SECRET = { payee: CANARY };
const POST = { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(SECRET) };
const payments = (): string => `${bank.url}/v2/payments`;

/** Answers so, with the server end in front. */
function answer(status: number, body: unknown = SECRET, headers: Record<string, string> = {}): void {
  bank.handle = () => ({ status, headers: { ...JSON_TYPE, ...headers }, body });
}

/** Answers so, without it. */
function answerRaw(status: number, headers: Record<string, string>, body?: unknown): void {
  bank.intercept = (_, response) => {
    send(response, { status, headers, body });
    return true;
  };
}

describe('a decrypted response', () => {
  it.each<[string, (response: Response) => Promise<unknown>]>([
    ['json()', (response) => response.json()],
    ['text()', async (response) => JSON.parse(await response.text())],
    ['arrayBuffer()', async (response) => JSON.parse(new TextDecoder().decode(await response.arrayBuffer()))],
    ['blob()', async (response) => JSON.parse(await (await response.blob()).text())],
    ['body', async (response) => new Response(response.body).json()],
    ['clone()', async (response) => response.clone().json()],
  ])('is plain by %s', async (_, read) => {
    expect(await read(await fetch(payments(), POST))).toEqual({ id: 'p1', ...SECRET });
  });

  it.each([200, 400, 404, 500])('has the status %s with what it says', async (status) => {
    answer(status);
    const response = await fetch(payments(), POST);
    expect(response).toMatchObject({ status, ok: status === 200, bodyUsed: false });
    expect(response.statusText).not.toBe('');
    expect(await response.json()).toEqual(SECRET);
  });

  it('says where it came from, as does every copy', async () => {
    bank.intercept = ({ url }, response) => {
      if (url !== '/v2/payments') return false;
      response.writeHead(307, { location: '/api/v2/payments?moved=1' }).end();
      return true;
    };
    const { type } = await globalThis.fetch(`${bank.url}/v1/open`); // Bun has another word for it
    const made = await fetch(payments(), POST);
    for (const response of [made, made.clone(), made.clone().clone()]) {
      expect(response).toBeInstanceOf(Response);
      expect([response.url, response.redirected, response.type]).toEqual([
        `${bank.url}/api/v2/payments?moved=1`,
        true,
        type,
      ]);
      expect(await response.json()).toEqual({ id: 'p1', ...SECRET });
    }
  });

  it.each([
    [999, 'Custom'],
    [600, ''],
    [200, '\u039f\u039a'],
    [404, 'caf\u00e9'],
  ])('has the status %s "%s", also where no Response can be made with it', async (status, statusText) => {
    const api = e2ee({
      ...localOptions,
      fetch: async (...parameters) => {
        const response = await globalThis.fetch(...parameters);
        const head = {
          status: { value: status },
          statusText: { value: statusText },
          ok: { value: status === 200 },
        };
        return Object.defineProperties(response, head);
      },
    });
    const made = await api(payments(), POST);
    for (const response of [made, made.clone()]) {
      expect(response).toMatchObject({ status, statusText, ok: status === 200 });
      expect(await response.json()).toEqual({ id: 'p1', ...SECRET });
    }
  });

  it('has no content type where none came', async () => {
    bank.intercept = (_, response) => {
      const writeHead = response.writeHead.bind(response);
      response.writeHead = (code: number) => writeHead(code);
      return false;
    };
    const response = await fetch(payments(), POST);
    expect([response.headers.get('content-type'), response.clone().headers.get('content-type')]).toEqual([
      null,
      null,
    ]);
    expect(await response.json()).toEqual({ id: 'p1', ...SECRET });
  });

  it('has the headers that came, but for those of the encrypted bytes', async () => {
    answer(200, SECRET, { etag: '"e"', 'x-own': '1', digest: 'd' });
    const { headers } = await fetch(payments(), POST);
    const names = ['content-type', 'x-own', 'etag', 'digest', 'content-length'];
    expect(names.map((name) => headers.get(name))).toEqual(['application/json', '1', null, null, null]);
  });

  it('keeps all of several cookies', async () => {
    bank.intercept = (_, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      return false;
    };
    const { headers } = await fetch(payments(), POST);
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('can be read once, as every other', async () => {
    const response = await fetch(payments(), POST);
    await response.text();
    expect(response.bodyUsed).toBe(true);
    await expect(response.text()).rejects.toThrow(TypeError);
    expect(() => response.clone()).toThrow(TypeError);
  });

  it('shows nothing to inspect and to JSON.stringify', async () => {
    const response = await fetch(payments(), POST);
    const shown = inspect(response, { depth: 9, showHidden: true }) + JSON.stringify(response);
    expect(shown).not.toContain(CANARY);
    expect(shown).toContain(payments());
  });
});

describe('a response in which nothing is encrypted', () => {
  it.each([204, 205, 304])('is handed on with the status %s, which has no body', async (status) => {
    answerRaw(status, {});
    const response = await fetch(payments(), POST);
    expect([response.status, response.body, await response.text()]).toEqual([status, null, '']);
  });

  it('is the very one that came, with its headers and its bytes', async () => {
    answerRaw(502, { 'content-type': 'text/html', etag: '"e"' }, '<h1>Bad gateway</h1>');
    const responses: Response[] = [];
    const api = e2ee({
      ...localOptions,
      fetch: async (...parameters) => {
        const response = await globalThis.fetch(...parameters);
        responses.push(response);
        return response;
      },
    });
    const response = await api(payments(), POST);
    expect(response).toBe(responses[0]);
    expect(response.headers.get('etag')).toBe('"e"');
    expect(await response.text()).toBe('<h1>Bad gateway</h1>');
  });

  it('to HEAD is handed on', async () => {
    const response = await fetch(`${bank.url}/v2/payments/1`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([201, '']);
  });

  it('that may not be followed is handed on, where the caller wants to see redirections', async () => {
    answerRaw(307, { location: '/v2/other' });
    const response = await fetch(payments(), { ...POST, redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([307, '/v2/other']);
  });

  it('is not waited for, when the operation has rules for the request only', async () => {
    const headers = { 'content-type': 'text/event-stream' };
    const body = new ReadableStream({
      start: (stream) => stream.enqueue(new TextEncoder().encode('data: 1\n\n')), // and no end
    });
    const policy = { 'POST /chat': { prompt: { request: 'encrypt' } } } as const;
    const api = e2ee({ ...localOptions, policy, fetch: async () => new Response(body, { headers }) });
    const response = await api(`${bank.url}/chat`, { ...POST, body: '{"prompt":"x"}' });
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(new TextDecoder().decode(value)).toBe('data: 1\n\n');
    await reader?.cancel();
  });

  it('that a page may not look into is handed on', async () => {
    const opaque = Response.error();
    const api = e2ee({ ...localOptions, fetch: async () => opaque });
    expect(await api(payments(), POST)).toBe(opaque);
  });
});

describe('a whole message', () => {
  it('is opened, for a client that asks with no body at all', async () => {
    bank.handle = () => ({ status: 200, headers: JSON_TYPE, body: SECRET });
    const response = await fetch(`${bank.url}/v2/payments/1`, { headers: { 'x-response': 'message' } });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual(SECRET);
  });

  it('is told by the content type of the profile', async () => {
    const message = { contentType: 'application/jwe' };
    const token = await (
      await globalThis.fetch(`${bank.url}/v2/payments/1`, { headers: { 'x-response': 'message' } })
    ).text();
    const headers = { 'content-type': message.contentType };
    const options = { ...localOptions, profile: { ...profile, message }, policy: {} };
    const api = e2ee({ ...options, fetch: async () => new Response(token, { headers }) });
    expect(await (await api(`${bank.url}/v1/open`)).json()).toEqual({ id: 'p1' });
  });

  it('is opened outside the policy, too', async () => {
    const options = { ...localOptions, policy: {} };
    const response = await e2ee(options)(`${bank.url}/v2/payments/1`, {
      headers: { 'x-response': 'message' },
    });
    expect(await response.json()).toEqual({ id: 'p1' });
  });
});

it('a body that breaks off while it is read to be decrypted fails the call', async () => {
  bank.intercept = (_, response) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-length': 100 }).write('{"a":');
    setTimeout(() => response.destroy(), 10);
    return true;
  };
  await expect(fetch(payments(), POST)).rejects.toThrow(TypeError);
});

it('a second rejection of the key is the answer', async () => {
  const { status, body } = profile.keyRejection;
  answerRaw(status, JSON_TYPE, body);
  const response = await fetch(payments(), POST);
  expect([response.status, await response.json()]).toEqual([status, body]);
});
