import { STATUS_CODES } from 'node:http';
import type { HandledCall } from '@e2ee-apps/bank';
import type { HandledCheckout } from '@e2ee-apps/merchant';
import type { Exchange } from '../capture.js';
import { areFresh, check, count, isFor, noLeak, sameJson } from '../checks.js';
import { leakedPaths } from '../leaks.js';
import { type Check, wireMessage } from '../report.js';
import { tokenOf, tokensIn } from '../tokens.js';
import type { Checkout } from './report.js';
import { ACCOUNT } from './world.js';

/** One call, as everyone who took part in it saw it. The fetching of keys is left out. */
export interface Observation {
  readonly method: string;
  readonly path: string;
  readonly typed: Checkout | null;
  readonly status: number;
  readonly customerGot: unknown;
  /** Between the front end and the shop. */
  readonly toShop: readonly Exchange[];
  /** Between the shop and the bank. */
  readonly toBank: readonly Exchange[];
  readonly checkouts: readonly HandledCheckout[];
  readonly payments: readonly HandledCall[];
  readonly shopKid: string;
  readonly bankKid: string;
  /** The card-holder of the order that is asked for, where nothing is typed. */
  readonly cardHolder: Readonly<Record<string, string>>;
}

const MASK = '[REDACTED]';
const TOKEN = 'token';

/** Judges a checkout, and the payment that it brings about. */
export function checkCheckout(observation: Observation): Check[] {
  const { toShop, toBank, status, checkouts, payments } = observation;
  const counts = [toShop, toBank, checkouts, payments].map(({ length }) => length);
  const isOnce = counts.every((number) => number === 1) && status === 201;
  return [
    check(
      'one checkout and one payment, which went through',
      isOnce,
      `${counts.join(', ')} calls, ${status}`,
    ),
    ...checkWireToShop(observation),
    ...checkWireToBank(observation),
    checkFresh(observation),
    ...checkEnds(observation),
  ];
}

/** Judges an order that is read. */
export function checkOrder(observation: Observation): Check[] {
  const { toShop, status } = observation;
  const isOnce = toShop.length === 1 && status === 200;
  return [
    check('one call, answered 200', isOnce, `${count(toShop.length, 'call')}, answered ${status}`),
    leakCheck('nothing of the card-holder readable in the answer', toShop, observation.cardHolder),
    checkAnswer(observation),
  ];
}

function checkWireToShop({ typed, toShop, cardHolder, shopKid }: Observation): Check[] {
  const body = bodyOf(toShop);
  const { card_holder: _, ...others } = typed ?? {};
  const isInPlace = sameJson(named(body), { ...others, encrypted_card_holder: TOKEN });
  return [
    leakCheck('nothing of the card-holder readable between front end and shop', toShop, cardHolder),
    check(
      'the card-holder encrypted to the shop, nothing else changed',
      isInPlace && tokensIn(JSON.stringify(body)).every(isFor(shopKid)),
      'names, other values, algorithms or key ids differ from what is due',
    ),
  ];
}

function checkWireToBank({ toBank, cardHolder, bankKid, checkouts }: Observation): Check[] {
  const body = bodyOf(toBank);
  const { id, amount, currency } = checkouts[0]?.order ?? {};
  const due = { amount, currency, reference: id, encrypted_payee: TOKEN, encrypted_payer: TOKEN };
  const secrets = { ...cardHolder, payee: ACCOUNT.account_number };
  return [
    leakCheck('nothing of both accounts readable between shop and bank', toBank, secrets),
    check(
      'both accounts encrypted to the bank, nothing else changed',
      sameJson(named(body), due) && tokensIn(JSON.stringify(body)).every(isFor(bankKid)),
      'names, other values, algorithms or key ids differ from what is due',
    ),
  ];
}

function checkFresh({ toShop, toBank }: Observation): Check {
  const tokens = [...toShop, ...toBank].flatMap(({ request }) => tokensIn(request.body.toString('utf8')));
  return check(
    'a fresh CEK and IV in each token',
    tokens.length === 3 && areFresh(tokens),
    `${count(tokens.length, 'token')}; two of them have an encrypted key or IV in common`,
  );
}

function checkEnds(observation: Observation): Check[] {
  const { typed, checkouts, payments, shopKid } = observation;
  const [checkout] = checkouts;
  const payment = Object(payments[0]?.body);
  return [
    check(
      'the shop saw exactly what was typed, and by which key it came',
      sameJson(checkout?.checkout, typed) && checkout?.kid === shopKid,
      'what it saw differs from what was typed',
    ),
    check(
      'the bank saw exactly the accounts, as they were typed',
      sameJson(payment.payer, typed?.card_holder) && sameJson(payment.payee, ACCOUNT),
      'what it saw differs',
    ),
    checkAnswer(observation),
  ];
}

/** Whether the customer got the order, with masks. */
function checkAnswer({ customerGot, cardHolder, toShop }: Observation): Check {
  const masks = Object.fromEntries(Object.keys(cardHolder).map((name) => [name, MASK]));
  const wire = toShop.at(-1);
  const isSame = sameJson(wire && wireMessage(wire.response).body, customerGot);
  const shown = Reflect.get(Object(customerGot), 'card_holder');
  return check('the card-holder came back [REDACTED]', isSame && sameJson(shown, masks), 'it did not');
}

/** Searches every byte of the exchanges, both ways. */
function leakCheck(
  name: string,
  exchanges: readonly Exchange[],
  values: Readonly<Record<string, string>>,
): Check {
  const secrets = Object.entries(values).map(([path, value]) => ({ path, value }));
  const leaks = exchanges.flatMap(({ request, response }) => {
    const status = Number(response.startLine.split(' ')[1]);
    const startLine = `HTTP/1.1 ${status} ${STATUS_CODES[status]}`;
    return [
      ...leakedPaths({ message: request, secrets, startLine: request.startLine, visible: null }),
      ...leakedPaths({ message: response, secrets, startLine, visible: null }),
    ];
  });
  return noLeak(name, exchanges.length > 0, leaks);
}

function bodyOf(exchanges: readonly Exchange[]): unknown {
  const last = exchanges.at(-1);
  return last && wireMessage(last.request).body;
}

/** A body with the word `token` in place of each token. */
function named(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, tokenOf(value) ? TOKEN : value]),
  );
}
