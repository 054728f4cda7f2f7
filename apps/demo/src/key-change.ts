import type { Exchange } from './capture.js';
import { check, checkBothWays, checkCall, type Observation } from './checks.js';
import type { Payloads } from './payloads.js';
import type { Check, Step, TimelineEntry } from './report.js';
import { currentKid, type Intent, observe, pathOf, toStep } from './steps.js';
import { tokensIn } from './tokens.js';
import type { Partner, World } from './world.js';

const OPERATION = 'POST /v2/payment_sessions';

/**
 * Changes the bank's key under a merchant that works with the old one: first in peace, by rotation, which no call
 * notices; then at once, by revocation, which rejects the next call and makes the merchant fetch the new key.
 */
export async function changeKey(world: World, partner: Partner, payloads: Payloads): Promise<Step[]> {
  const intent = { operation: OPERATION, path: pathOf(OPERATION), wrote: payloads[OPERATION] } as const;
  const oldKid = currentKid(world);
  return [await rotate(world, partner, intent, oldKid), await revoke(world, partner, intent, oldKid)];
}

async function rotate(world: World, partner: Partner, intent: Intent, oldKid: string): Promise<Step> {
  const { kid: newKid } = await world.bankKeys.rotate();
  // What the merchant knows is still the old key, and the bank still decrypts with it.
  const observation = { ...(await observe(world, partner, intent)), bankKid: oldKid };
  const step = toStep('The bank rotates its key', partner, observation, [
    check('a new key is published', newKid !== oldKid && currentKid(world) === newKid, 'it is not'),
    ...checkCall(observation),
  ]);
  const timeline: TimelineEntry[] = [
    { who: 'bank', what: 'publishes a new key, still accepts the old', outcome: 'rotated', kid: newKid },
    ...observation.exchanges.map(toEntry),
  ];
  return { ...step, about: 'key change', timeline };
}

async function revoke(world: World, partner: Partner, intent: Intent, oldKid: string): Promise<Step> {
  await world.bankKeys.revoke(oldKid);
  const observation = await observe(world, partner, intent);
  const step = toStep('The bank revokes the old key', partner, observation, [
    ...checkRecovery(observation, oldKid),
    ...checkBothWays(observation),
  ]);
  const [rejected, ...retries] = observation.exchanges;
  const timeline: TimelineEntry[] = [
    { who: 'bank', what: 'takes the old key out of use at once', outcome: 'revoked', kid: oldKid },
    ...(rejected ? [toEntry(rejected)] : []),
    ...observation.keyFetches.map(toEntry),
    ...retries.map(toEntry),
  ];
  return { ...step, about: 'key change', timeline };
}

/** What the provider's page says of a rejected key, word for word. */
const REJECTION =
  '{"errors":[{"code":"invalid","source":"encryption key","title":"invalid encryption key"}]}';

function checkRecovery(observation: Observation, oldKid: string): Check[] {
  const { exchanges, keyFetches, bankKid, got } = observation;
  const statuses = exchanges.map(statusOf);
  const [rejected] = exchanges;
  const fetched = keyFetches.map(({ response }) => response.body.toString('utf8')).join();
  const saw = `the answers were ${statuses.join(', ') || 'none'}`;
  return [
    check(
      'exactly one 422, as the documentation words it',
      statuses.filter((status) => status === 422).length === 1 &&
        rejected?.response.body.toString('utf8') === REJECTION,
      saw,
    ),
    check('exactly one retry, and it went through', statuses.join() === '422,201' && got.status === 201, saw),
    check(
      'one fetch of the keys between them: the new key, not the old',
      keyFetches.length === 1 && fetched.includes(bankKid) && !fetched.includes(oldKid),
      `${keyFetches.length} fetches`,
    ),
    check(
      'rejected call with the old key, retry with the new one',
      oldKid !== bankKid && kidsOf(rejected) === oldKid && kidsOf(exchanges[1]) === bankKid,
      'the key ids of the tokens are others',
    ),
  ];
}

function toEntry(exchange: Exchange): TimelineEntry {
  const { request, response } = exchange;
  const kid = kidsOf(exchange) || keysIn(response.body.toString('utf8'));
  const [method = '', path = ''] = request.startLine.split(' ');
  const reason = response.startLine.split(' ').slice(1).join(' ');
  return { who: 'merchant', what: `${method} ${path}`, outcome: reason, ...(kid !== '' && { kid }) };
}

/** The key ids of a request's tokens. */
function kidsOf(exchange: Exchange | undefined): string {
  const tokens = tokensIn(exchange?.request.body.toString('utf8') ?? '');
  return [...new Set(tokens.map(({ header }) => String(header.kid)))].join();
}

/** The key ids of a published set. */
function keysIn(text: string): string {
  return [...text.matchAll(/"kid":"([^"]+)"/g)].map(([, kid]) => kid).join();
}

function statusOf({ response }: Exchange): number {
  return Number(response.startLine.split(' ')[1]);
}
