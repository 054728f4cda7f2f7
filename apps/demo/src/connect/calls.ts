import { LONG_PASSWORD, parsed } from '../aggregator/calls.js';
import { checkCall, type Observation } from '../aggregator/checks.js';
import type { Exchange, Recorder } from '../capture.js';
import { wireMessage } from '../report.js';
import { checkPage } from './checks.js';
import type { ConnectStep } from './report.js';
import type { BankOfPage, Seen, Values } from './user.js';
import type { World } from './world.js';

interface Intent {
  readonly name: string;
  readonly bank?: BankOfPage;
  readonly values: Values;
}

const TEST_BANK: BankOfPage = { id: 59, name: 'Connecteur de test' };

/** What is typed, in this order. One without a bank answers what the bank before has asked for. */
const INTENTS: readonly Intent[] = [
  {
    name: 'A bank that asks for a customer number and a code',
    bank: { id: 33, name: 'Banque de Bretagne' },
    values: { website: 'pro', login: '0012345678', code: '0070' },
  },
  { name: 'The code from the text message that the bank sends then', values: { otp: '001234' } },
  {
    name: 'Another bank: other alphabets, spaces at the end',
    bank: TEST_BANK,
    values: { login: 'zoë.müller@例え.jp', password: '  pä$$wörd \u{1f511}  ', birthday: '01/02/1990' },
  },
  {
    name: 'A password of a kilobyte',
    bank: TEST_BANK,
    values: { login: '"quoted" \\ back\\slashed', password: LONG_PASSWORD },
  },
];

/** Types and sends everything, one call after the other. */
export async function callEverything(world: World): Promise<ConnectStep[]> {
  const steps: ConnectStep[] = [];
  for (const intent of INTENTS) steps.push(await make(world, intent));
  return steps;
}

async function make(world: World, intent: Intent): Promise<ConnectStep> {
  const { observation, seen } = await observe(world, intent);
  const { method, path, typed, status, passed, handled, confirmed } = observation;
  return {
    name: intent.name,
    call: `${method} ${path}`,
    status,
    typed,
    intermediateSaw: parsed(passed.at(-1)?.request),
    aggregatorSaw: handled.at(-1)?.body ?? null,
    confirmed,
    checks: [...checkCall(observation), ...(seen ? checkPage(observation, seen) : [])],
    place: world.user.place.kind,
  };
}

/** Types and sends once, and collects what everyone saw of it. */
export async function observe(
  { user, keyRing, recorders, takePassed, takeHandled }: World,
  { bank, values }: Intent,
): Promise<{ observation: Observation; seen: Seen }> {
  for (const take of [...recorders.map((recorder) => recorder.take), takePassed, takeHandled]) take();
  const seen = await (bank ? user.signIn(bank, values) : user.complete(values));
  const [before, behind] = recorders.map(takeCalls) as [Exchange[], Exchange[]]; // there are two
  const answer = before.at(-1)?.response;
  const observation: Observation = {
    method: 'POST',
    path: before.at(-1)?.request.startLine.split(' ')[1] ?? '',
    typed: bank ? { ...values, id_connector: bank.id } : values,
    exchanges: [before, behind],
    passed: takePassed(),
    handled: takeHandled(),
    status: Number(answer?.startLine.split(' ')[1]),
    confirmed: answer && wireMessage(answer).body,
    kid: keyRing.describe().find(({ state }) => state === 'active')?.kid ?? '',
  };
  return { observation, seen };
}

/** Without the page itself, the banks and the keys. */
function takeCalls(recorder: Recorder): Exchange[] {
  return recorder.take().filter(({ request }) => /^POST \S*\/connections/.test(request.startLine));
}
