import { e2ee } from '@e2ee/axios-interceptor';
import { createKeyRing, importKey, staticKeys } from '@e2ee/core';
import { shopProfile } from '@e2ee-apps/merchant';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Exchange } from '../capture.js';
import { displayWidth } from '../display-width.js';
import { createPalette } from '../palette.js';
import { observe } from './calls.js';
import { checkCheckout, checkOrder, type Observation } from './checks.js';
import { runShop } from './demo.js';
import { renderShop } from './render.js';
import type { ShopReport } from './report.js';
import { startWorld, type World } from './world.js';

const POLICY = { 'POST /checkouts': { card_holder: { request: 'encrypt' } } } as const;

function failures({ steps }: ShopReport): string[] {
  return [...new Set(steps.flatMap(({ checks }) => checks.filter(({ ok }) => !ok).map(({ name }) => name)))];
}

describe('the demo of the merchant', () => {
  let report: ShopReport;
  beforeAll(async () => {
    report = await runShop();
  });

  test('shows what should happen', () => {
    expect(failures(report)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(
      report.steps.map(({ call, status }) => `${call.replace(/[\da-f-]{36}$/, ':id')} ${status}`),
    ).toEqual(['POST /checkouts 201', 'POST /checkouts 201', 'GET /checkouts/:id 200']);
  });

  test('has the values that go wrong easily, as they were typed, in the shop and in the bank', () => {
    const [first, second] = report.steps;
    for (const step of [first, second]) {
      expect(step?.shopSaw).toEqual(step?.typed);
      expect(step?.bankSaw).toMatchObject({ payer: step?.typed?.card_holder });
    }
    expect(first?.typed?.card_holder).toMatchObject({ account_number: '00012345', sort_code: '004004' });
    expect(second?.typed?.card_holder.name).toMatch(/ë.*茶/);
  });

  test('shows both wires, in the columns that there are', () => {
    for (const width of [60, 80, 100, 120]) {
      const text = renderShop(report, { width, palette: createPalette(false) });
      expect(Math.max(...text.split('\n').map(displayWidth))).toBeLessThanOrEqual(width);
    }
    const text = renderShop(report, { width: 100, palette: createPalette(false) });
    expect(text).toMatch(/customer typed +on the wire to shop +on the wire to bank +the bank saw/);
    expect(text).toMatch(/account_number +"00012345" +eyJhbGci….{3} +eyJhbGci….{3} +"00012345"/);
    expect(text).toMatch(/✓ 2 customers have paid/);
    expect(text).not.toMatch(/ \n/);
  });
});

describe('the demo of the merchant fails', () => {
  test('when the front end has no encryption installed', async () => {
    const report = await runShop({ install: () => {} });
    expect(failures(report)).toEqual(
      expect.arrayContaining([
        'one checkout and one payment, which went through',
        'nothing of the card-holder readable between front end and shop',
        'the shop saw exactly what was typed, and by which key it came',
      ]),
    );
    const text = renderShop(report, { width: 100, palette: createPalette(true) });
    expect(text).toContain('\u001B[7m\u001B[31m"00012345"'); // plaintext on the wire stands out
    expect(text).toMatch(/✗ \d+ of \d+ checks failed/);
  });

  test('when plaintext is sent and accepted', async () => {
    const report = await runShop({
      install: () => {},
      encryption: { plaintext: 'accept', onEvent: () => {} },
    });
    expect(failures(report)).toEqual([
      'nothing of the card-holder readable between front end and shop',
      'the card-holder encrypted to the shop, nothing else changed',
      'a fresh CEK and IV in each token',
      'the shop saw exactly what was typed, and by which key it came',
    ]);
  });

  test('when the values are for somebody else', async () => {
    const stranger = await importKey((await createKeyRing()).jwks().keys[0] ?? {});
    if (stranger.kind !== 'encryption') throw new Error('A key ring publishes public keys only');
    const encryptionKeys = staticKeys(stranger);
    const report = await runShop({
      install: (api) => e2ee(api, { profile: shopProfile, policy: POLICY, encryptionKeys }),
    });
    expect(failures(report)).toContain('one checkout and one payment, which went through');
    expect(failures(report)).toContain('the card-holder encrypted to the shop, nothing else changed');
  });
});

describe('a check finds', () => {
  const cardHolder = { name: 'Jane Doe', account_number: '00012345', sort_code: '004004' };
  const typed = {
    items: [{ sku: 'tea-sencha', quantity: 1 }],
    email: 'a@example.com',
    card_holder: cardHolder,
  };
  let world: World;
  let good: Observation;
  let read: Observation;
  beforeAll(async () => {
    world = await startWorld();
    good = await observe(world, 'POST /checkouts', typed, cardHolder);
    const { id } = good.customerGot as { id: string }; // the shop's own
    read = await observe(world, `GET /checkouts/${id}`, null, cardHolder);
  });
  afterAll(() => world.close());

  const failed = (change: Partial<Observation>): string[] =>
    checkCheckout({ ...good, ...change })
      .filter(({ ok }) => !ok)
      .map(({ name }) => name);

  const leaking = (exchanges: readonly Exchange[], side: 'request' | 'response'): Exchange[] =>
    exchanges.map((one) => ({ ...one, [side]: { ...one[side], body: Buffer.from('{"x":"00012345"}') } }));

  test('nothing in good calls', () => {
    expect(failed({})).toEqual([]);
    expect(checkOrder(read).every(({ ok }) => ok)).toBe(true);
  });

  test.each(['request', 'response'] as const)('a value in the %s on either way', (side) => {
    expect(failed({ toShop: leaking(good.toShop, side) })).toContain(
      'nothing of the card-holder readable between front end and shop',
    );
    expect(failed({ toBank: leaking(good.toBank, side) })).toContain(
      'nothing of both accounts readable between shop and bank',
    );
  });

  test('tokens that are used again, for another key, or of another number', () => {
    expect(failed({ toBank: [...good.toBank, ...good.toBank] })).toContain(
      'a fresh CEK and IV in each token',
    );
    expect(failed({ shopKid: good.bankKid })).toContain(
      'the card-holder encrypted to the shop, nothing else changed',
    );
    expect(failed({ bankKid: good.shopKid })).toContain(
      'both accounts encrypted to the bank, nothing else changed',
    );
  });

  test('a bank or a customer who got something else', () => {
    const [payment] = good.payments;
    const other = { ...cardHolder, account_number: '12345' };
    const payments = payment ? [{ ...payment, body: { ...Object(payment.body), payer: other } }] : [];
    expect(failed({ payments })).toEqual(['the bank saw exactly the accounts, as they were typed']);
    expect(failed({ customerGot: { card_holder: cardHolder } })).toEqual([
      'the card-holder came back [REDACTED]',
    ]);
    const leaked = checkOrder({ ...read, toShop: leaking(read.toShop, 'response') }).filter(({ ok }) => !ok);
    expect(leaked.map(({ name }) => name)).toContain('nothing of the card-holder readable in the answer');
  });
});
