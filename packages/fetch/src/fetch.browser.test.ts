import { banked, createKeyRing, importKey, remoteJwks } from '@e2ee/core';
import { describe, expect, inject, it } from 'vitest';
import { RSA } from '../../core/test/stored-keys.js';
import { e2ee } from './index.js';

/* The page's own fetch, over a socket, to a bank of another origin (test/page-bank.ts). */

const bank = inject('pageBank');
const url = `${bank}/v2/payment_sessions`;
const SESSION = { amount: 1, payee: { name: 'John Doe' } };
const POST = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(SESSION),
};

const options = {
  profile: banked,
  encryptionKeys: remoteJwks(`${bank}${banked.publication.path}`, { cooldown: 0 }),
  keyRing: await createKeyRing({ keys: await importKey(RSA[1].privateJwk) }),
};
const api = e2ee(options);

async function seen(): Promise<string[]> {
  const response = await fetch(`${bank}/seen`);
  return (await response.json()) as string[]; // what the bank keeps
}

describe('fetch in a page', () => {
  it.each<[string, () => Parameters<typeof fetch>]>([
    ['a text', () => [url, POST]],
    ['a URL', () => [new URL(url), POST]],
    ['a Request', () => [new Request(url, POST)]],
    ['a Request and a body', () => [new Request(url, { ...POST, body: '{}' }), { body: POST.body }]],
  ])('goes round, given %s', async (_, make) => {
    const response = await api(...make());
    expect([response.status, await response.json()]).toEqual([201, SESSION]);
    const [sent = '', ...more] = await seen();
    expect([Object.keys(JSON.parse(sent)), more]).toEqual([['amount', 'encrypted_payee'], []]);
  });

  it('recovers from a rejected key, with what a Request holds', async () => {
    await api(url, POST);
    await fetch(`${bank}/rotate`);
    const response = await api(new Request(url, POST));
    expect([response.status, await response.json()]).toEqual([201, SESSION]);
    expect((await seen()).join()).not.toContain('John');
  });

  it('says where a response came from, as does its copy', async () => {
    const made = await api(`${url}?moved`, POST);
    for (const response of [made, made.clone()]) {
      expect(response).toMatchObject({ url, redirected: true, type: 'cors', status: 201 });
      expect(response.headers.get('etag')).toBeNull();
      expect(await response.json()).toEqual(SESSION);
    }
    await seen();
  });

  it('resolves a relative URL as the page does', async () => {
    const sent: unknown[] = [];
    const beneath = async (...parameters: unknown[]): Promise<Response> => {
      sent.push(parameters);
      return new Response();
    };
    await e2ee({ ...options, fetch: beneath })('/v2/payment_sessions', POST);
    expect(JSON.stringify(sent)).toContain('encrypted_payee');
  });

  it.each(['text/plain', 'a blob', 'a form'])('sends no %s to a covered operation', async (kind) => {
    const body = kind === 'a form' ? new FormData() : kind === 'a blob' ? new Blob([POST.body]) : POST.body;
    await expect(api(url, { method: 'POST', body })).rejects.toMatchObject({ name: 'E2eeError' });
    expect(await seen()).toEqual([]);
  });

  it('hands on what the page may not look into', async () => {
    const redirected = await api(`${url}?moved`, { ...POST, redirect: 'manual' });
    expect(redirected).toMatchObject({ type: 'opaqueredirect', status: 0 });
    const opaque = await api(`${bank}/v2/payment_sessions/1`, { mode: 'no-cors' });
    expect(opaque).toMatchObject({ type: 'opaque', status: 0 });
    await seen();
  });

  it('ends a call that is broken off', async () => {
    const call = api(url, { ...POST, signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(await seen()).toEqual([]);
  });

  it('requires TLS, but for this machine', async () => {
    const secure = e2ee({ ...options, requireTls: true });
    expect((await secure(url, POST)).status).toBe(201);
    await expect(secure('http://192.0.2.1/', POST)).rejects.toMatchObject({ code: 'tls_required' });
    await expect(secure(`${url}?moved`, POST)).rejects.toThrow(TypeError);
    await seen();
  });
});
