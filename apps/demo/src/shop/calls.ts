import { wireMessage } from '../report.js';
import { checkCheckout, checkOrder, type Observation } from './checks.js';
import type { Checkout, ShopStep } from './report.js';
import type { World } from './world.js';

/** Values that go wrong easily. */
const CHECKOUTS: readonly (readonly [name: string, checkout: Checkout])[] = [
  [
    'Leading zeros in numbers that are none',
    {
      items: [
        { sku: 'tea-sencha', quantity: 2 },
        { sku: 'pot-cast-iron', quantity: 1 },
      ],
      email: 'customer@example.com',
      card_holder: { name: 'Jane Doe', account_number: '00012345', sort_code: '004004' },
    },
  ],
  [
    'A name in other alphabets',
    {
      items: [{ sku: 'tea-earl-grey', quantity: 3 }],
      email: 'another@example.com',
      card_holder: { name: 'Zoë "茶" Müller \u{1f375}', account_number: '87654321', sort_code: '987654' },
    },
  ],
];

/** Makes every call, one after the other: each checkout, and the last order once more. */
export async function callEverything(world: World): Promise<ShopStep[]> {
  const steps: ShopStep[] = [];
  for (const [name, checkout] of CHECKOUTS) {
    const observation = await observe(world, 'POST /checkouts', checkout, checkout.card_holder);
    steps.push(stepOf(name, observation, checkCheckout(observation)));
  }
  const id = Reflect.get(Object(steps.at(-1)?.customerGot), 'id');
  const holder = CHECKOUTS.at(-1)?.[1].card_holder ?? {};
  const observation = await observe(world, `GET /checkouts/${id}`, null, holder);
  return [...steps, stepOf('The order, read once more', observation, checkOrder(observation))];
}

/** Makes one call and collects what everyone saw of it. */
export async function observe(
  world: World,
  call: string,
  typed: Checkout | null,
  cardHolder: Observation['cardHolder'],
): Promise<Observation> {
  const [before, behind] = world.recorders;
  for (const take of [before.take, behind.take, world.takeCheckouts, world.takePayments]) take();
  const [method = '', path = ''] = call.split(' ');
  const { status, data } = await world.api.request({
    method,
    url: path,
    ...(typed && { data: structuredClone(typed) }),
  });
  const active = (keys: World['shopKeys']): string =>
    keys.describe().find(({ state }) => state === 'active')?.kid ?? '';
  return {
    method,
    path,
    typed,
    status,
    customerGot: data,
    toShop: before.take(),
    toBank: behind.take().filter(({ request }) => request.startLine.startsWith('POST')),
    checkouts: world.takeCheckouts(),
    payments: world.takePayments(),
    shopKid: active(world.shopKeys),
    bankKid: active(world.bankKeys),
    cardHolder,
  };
}

function stepOf(name: string, observation: Observation, checks: ShopStep['checks']): ShopStep {
  const { method, path, status, typed, toShop, toBank, checkouts, payments, customerGot } = observation;
  const [shop, bank] = [toShop.at(-1), toBank.at(-1)];
  return {
    name,
    call: `${method} ${path}`,
    status,
    typed,
    wireToShop: shop ? wireMessage(shop.request).body : null,
    wireToBank: bank ? wireMessage(bank.request).body : null,
    shopSaw: checkouts.at(-1)?.checkout ?? null,
    bankSaw: payments.at(-1)?.body ?? null,
    customerGot,
    checks,
  };
}
