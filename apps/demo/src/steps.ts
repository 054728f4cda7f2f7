import { checkCall, type Observation } from './checks.js';
import type { Payloads } from './payloads.js';
import { type Check, type OperationName, type PostOperation, type Step, wireMessage } from './report.js';
import type { Partner, World } from './world.js';

/** Makes every call for one partner: creates a payment session, reads it, registers an account, sets up a mandate. */
export async function callEverything(world: World, partner: Partner, payloads: Payloads): Promise<Step[]> {
  const created = await post(world, partner, 'POST /v2/payment_sessions', payloads);
  return [
    created,
    // Of what was refused, there is nothing to read.
    ...(created.status === 201 ? [await read(world, partner, idOf(created.merchantGot))] : []),
    await post(world, partner, 'POST /v2/bank_accounts', payloads),
    await post(world, partner, 'POST /v2/mandates', payloads),
  ];
}

async function post(
  world: World,
  partner: Partner,
  operation: PostOperation,
  payloads: Payloads,
): Promise<Step> {
  const observation = await observe(world, partner, {
    operation,
    path: pathOf(operation),
    wrote: payloads[operation],
  });
  return toStep(operation, partner, observation, checkCall(observation));
}

async function read(world: World, partner: Partner, id: string): Promise<Step> {
  const operation = 'GET /v2/payment_sessions/:id';
  const path = `/v2/payment_sessions/${id}`;
  const observation = await observe(world, partner, { operation, path, wrote: undefined });
  return toStep(operation, partner, observation, checkCall(observation));
}

export interface Intent {
  readonly operation: OperationName;
  readonly path: string;
  readonly wrote: object | undefined;
}

/** Makes one call and collects what everyone saw of it. */
export async function observe(world: World, partner: Partner, intent: Intent): Promise<Observation> {
  const { operation, path, wrote } = intent;
  const method = operation.startsWith('POST') ? 'POST' : 'GET';
  const snapshot = wrote && structuredClone(wrote);
  world.takeHandled();
  world.recorder.take();
  const got = await partner.merchant.call(method, path, wrote);
  const exchanges = world.recorder.take();
  const { choice, kid: partnerKid } = partner;
  return {
    operation,
    choice,
    path,
    wrote: snapshot,
    got,
    exchanges: exchanges.filter(({ request }) => !isKeyFetch(request)),
    keyFetches: exchanges.filter(({ request }) => isKeyFetch(request)),
    handled: world.takeHandled(),
    bankKid: currentKid(world),
    ...(partnerKid !== undefined && { partnerKid }),
  };
}

export function currentKid(world: World): string {
  return world.bankKeys.describe().find(({ state }) => state === 'active')?.kid ?? '';
}

export function pathOf(operation: PostOperation): string {
  return operation.slice('POST '.length);
}

export function toStep(
  name: string,
  partner: Partner,
  observation: Observation,
  checks: readonly Check[],
): Step {
  const { operation, choice, wrote, got, exchanges, handled } = observation;
  const last = exchanges.at(-1);
  return {
    name,
    about: 'call',
    operation,
    choice,
    partner: partner.name,
    partnerKey: partner.keyForm ?? null,
    status: got.status,
    merchantWrote: wrote ?? null,
    wireRequest: last ? wireMessage(last.request) : null,
    handlerSaw: handled.at(-1)?.body ?? null,
    wireResponse: last ? wireMessage(last.response) : null,
    merchantGot: got.body ?? null,
    checks,
  };
}

function isKeyFetch({ startLine }: { readonly startLine: string }): boolean {
  return startLine.includes('/.well-known/');
}

function idOf(body: unknown): string {
  const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined;
  return typeof id === 'string' ? id : 'unknown';
}
