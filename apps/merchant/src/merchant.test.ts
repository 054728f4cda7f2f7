import type { AddressInfo } from 'node:net';
import { e2ee } from '@e2ee/axios-interceptor';
import { createKeyRing, type KeyRing, leakGuard, remoteJwks } from '@e2ee/core';
import { createBank, type HandledCall, type Listening, listen } from '@e2ee-apps/bank';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import axios, { type AxiosInstance } from 'axios';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMerchant, type HandledCheckout, shopProfile } from './index.js';

/* The shop's front end, the shop and the bank, over loopback sockets. */

const CARD_HOLDER = { name: 'Zoë Müller', account_number: '00012345', sort_code: '040004' };
const CHECKOUT = {
  items: [
    { sku: 'tea-sencha', quantity: 2 },
    { sku: 'pot-cast-iron', quantity: 1 },
  ],
  email: 'zoe@example.com',
  card_holder: CARD_HOLDER,
};
const MASKED = { name: '[REDACTED]', account_number: '[REDACTED]', sort_code: '[REDACTED]' };
const ACCOUNT = { name: 'Leaf & Pot Ltd', account_number: '31510604', sort_code: '400530' };

let keyRing: KeyRing;
let bank: Listening;
let shop: NestFastifyApplication;
let url: string;
let frontEnd: AxiosInstance;
const atTheBank: HandledCall[] = [];
const handled: HandledCheckout[] = [];

beforeAll(async () => {
  const registration = { clientId: 'shop', clientSecret: 'secret', response: 'redact' } as const;
  const app = await createBank({
    keyRing: await createKeyRing(),
    partners: [registration],
    onHandled: (call) => atTheBank.push(call),
  });
  bank = await listen(app);
  keyRing = await createKeyRing();
  ({ shop, url } = await openShop(bank.url, 'secret'));
  frontEnd = frontEndOf(url);
});
afterAll(async () => {
  await shop.close();
  await bank.close();
});

async function openShop(bankUrl: string, clientSecret: string): Promise<{ shop: typeof shop; url: string }> {
  const opened = await createMerchant({
    keyRing,
    bank: { url: bankUrl, clientId: 'shop', clientSecret, account: ACCOUNT },
    isSilent: true,
    onHandled: (call) => handled.push(call),
  });
  await opened.listen(0, '127.0.0.1');
  const { port } = opened.getHttpServer().address() as AddressInfo; // a TCP server has no other kind of address
  return { shop: opened, url: `http://127.0.0.1:${port}` };
}

function frontEndOf(shopUrl: string): AxiosInstance {
  const api = axios.create({ baseURL: shopUrl, proxy: false, validateStatus: () => true });
  e2ee(api, {
    profile: shopProfile,
    policy: { 'POST /checkouts': { card_holder: { request: 'encrypt', response: 'redact' } } },
    encryptionKeys: remoteJwks(`${shopUrl}/.well-known/jwks.json`),
    leakGuard,
  });
  return api;
}

async function plain(path: string, body?: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(url + path, body ? { method: 'POST', headers, body: JSON.stringify(body) } : {});
}

describe('a checkout', () => {
  test('is paid with exactly what was typed, and answered without it', async () => {
    handled.length = 0;
    atTheBank.length = 0;
    const { status, data } = await frontEnd.post('/checkouts', CHECKOUT);
    expect(status).toBe(201);
    expect(data).toMatchObject({ ...CHECKOUT, card_holder: MASKED, amount: 8900, state: 'paid' });
    expect(handled).toMatchObject([{ checkout: CHECKOUT, kid: keyRing.jwks().keys[0]?.kid }]);
    expect(atTheBank).toMatchObject([
      {
        operation: 'POST /v2/payment_sessions',
        body: { amount: 8900, currency: 'GBP', reference: data.id, payer: CARD_HOLDER, payee: ACCOUNT },
      },
    ]);
    expect(data.payment).toMatch(/^ps_/);
    const order = await plain(`/checkouts/${data.id}`);
    expect(await order.json()).toEqual({ ...data, card_holder: MASKED });
  });

  test('in plain is refused, and so is one without a card-holder', async () => {
    for (const [body, code] of [
      [CHECKOUT, 'plaintext_refused'],
      [{ ...CHECKOUT, card_holder: undefined }, 'field_required'],
    ] as const) {
      const answer = await plain('/checkouts', body);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain(code);
    }
  });

  test.each([
    ['an account number of seven digits', { card_holder: { ...CARD_HOLDER, account_number: '1234567' } }],
    ['a product that there is not', { items: [{ sku: 'coffee', quantity: 1 }] }],
    ['no items', { items: [] }],
    ['half a teapot', { items: [{ sku: 'pot-cast-iron', quantity: 0.5 }] }],
    ['an email that is none', { email: 'zoe' }],
  ])('with %s is refused by validation, which quotes no value', async (_, change) => {
    atTheBank.length = 0;
    const { status, data } = await frontEnd.post('/checkouts', { ...CHECKOUT, ...change });
    expect(status).toBe(400);
    expect(JSON.stringify(data)).not.toMatch(/00012345|1234567|Müller/);
    expect(atTheBank).toEqual([]);
  });

  test('that the bank does not take is a 502 without details', async () => {
    const other = await openShop(bank.url, 'wrong');
    try {
      const { status, data } = await frontEndOf(other.url).post('/checkouts', CHECKOUT);
      expect([status, data]).toEqual([
        502,
        { statusCode: 502, error: 'Bad Gateway', message: 'The payment could not be made' },
      ]);
    } finally {
      await other.shop.close();
    }
  });
});

describe('beside it', () => {
  test('products are open, and an order that there is not is a 404', async () => {
    expect(await (await plain('/products')).json()).toHaveLength(3);
    expect((await plain('/checkouts/x')).status).toBe(404);
  });

  test('health shows keys by their ids only', async () => {
    await frontEnd.post('/checkouts', CHECKOUT);
    const answer = await plain('/health');
    const { encryption } = (await answer.json()) as { encryption: Record<string, unknown> };
    expect(answer.status).toBe(200);
    expect(encryption).toMatchObject({
      status: 'up',
      keys: [{ state: 'active' }],
      remote: [{ state: 'fresh' }],
    });
  });

  test('health is a 503 when the bank has no keys to be had', async () => {
    const { shop: lonely, url: at } = await openShop('http://127.0.0.1:1', 'secret');
    try {
      await frontEndOf(at).post('/checkouts', CHECKOUT);
      const answer = await fetch(`${at}/health`);
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ encryption: { status: 'down' } });
    } finally {
      await lonely.close();
    }
  });
});
