import { checkCall, type Observation } from './checks.js';
import type { AggregatorStep } from './report.js';
import type { World } from './world.js';

interface Intent {
  readonly name: string;
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly typed: Readonly<Record<string, unknown>>;
}

/** A kilobyte in UTF-8, with something of everything in it. */
export const LONG_PASSWORD: string = `0007 "quoted" \\ ${'pässwörd-日本語-\u{1f511} '.repeat(40)}`.slice(
  0,
  1024,
);

/** Makes every call that encrypts something, one after the other. */
export async function callEverything(world: World): Promise<AggregatorStep[]> {
  const first = await make(world, {
    name: 'A bank that asks for a customer number and a code',
    method: 'POST',
    path: '/users/me/connections',
    typed: { id_connector: 33, website: 'par', login: '0012345678', code: '0070' },
  });
  const second = await make(world, {
    name: 'The code from the text message that the bank sends then',
    method: 'POST',
    path: `/users/me/connections/${idOf(first)}`,
    typed: { otp: '001234' },
  });
  const third = await make(world, {
    name: 'Another bank: other alphabets, spaces at the end',
    method: 'POST',
    path: '/users/me/connections',
    typed: {
      id_connector: 59,
      login: 'zoë.müller@例え.jp',
      password: '  pä$$wörd \u{1f511}  ',
      birthday: '01/02/1990',
    },
  });
  const fourth = await make(world, {
    name: 'A new password of a kilobyte',
    method: 'PUT',
    path: `/users/me/connections/${idOf(third)}`,
    typed: { password: LONG_PASSWORD },
  });
  return [first, second, third, fourth, await payRent(world)];
}

/** A transfer is made without any secret; what the bank asks for before it pays is one. */
async function payRent(world: World): Promise<AggregatorStep> {
  const { data } = await world.api.post('/users/me/transfers', { amount: 850, label: 'Rent' });
  return make(world, {
    name: 'A transfer that the bank wants to have confirmed',
    method: 'POST',
    path: `/users/me/transfers/${data.id}`,
    typed: { validated: true, fields: { otp: '000042', transfer_pin: '09 87 65 ' } },
  });
}

async function make(world: World, intent: Intent): Promise<AggregatorStep> {
  const observation = await observe(world, intent);
  const { passed, handled, status, confirmed } = observation;
  const { name, method, path, typed } = intent;
  return {
    name,
    call: `${method} ${path}`,
    status,
    typed,
    intermediateSaw: parsed(passed.at(-1)?.request),
    aggregatorSaw: handled.at(-1)?.body ?? null,
    confirmed,
    checks: checkCall(observation),
  };
}

/** Makes one call and collects what everyone saw of it. */
export async function observe(world: World, { method, path, typed }: Intent): Promise<Observation> {
  const [before, behind] = world.recorders;
  for (const take of [before.take, behind.take, world.takePassed, world.takeHandled]) take();
  const { status, data } = await world.api.request({ method, url: path, data: structuredClone(typed) });
  return {
    method,
    path,
    typed,
    status,
    confirmed: data,
    exchanges: [before.take(), behind.take()],
    passed: world.takePassed(),
    handled: world.takeHandled(),
    kid: world.keyRing.describe().find(({ state }) => state === 'active')?.kid ?? '',
  };
}

export function parsed(body: Buffer | undefined): unknown {
  try {
    return JSON.parse(String(body));
  } catch {
    return null;
  }
}

function idOf({ confirmed }: AggregatorStep): string {
  return String(Reflect.get(Object(confirmed), 'id'));
}
