import type { Context } from '../context.js';
import { endsFor, fieldsRequest, requestOf } from '../ends.js';
import type { Pair } from '../keys.js';
import { type Contestant, interleave, type Row, rateOf } from '../measure.js';
import { BARE, CONTROL, GROUPS, LIMIT_ASYNC, serverName } from '../names.js';
import { PAYEE } from '../payloads.js';
import { rawUnwrapping } from '../raw.js';
import { SCENARIOS, type Scenario } from '../servers/scenarios.js';

/** How many different bodies are sent in turn. */
const BODIES = 32;

/** Whole servers under load from this process, the bare one and the private key alone among them. */
export async function servers(context: Context): Promise<Row[]> {
  const { effort } = context;
  const contestants: Contestant[] = [await limit(context)];
  for (const framework of effort.frameworks)
    for (const scenario of SCENARIOS) contestants.push(await underLoad(context, framework, scenario));
  for (const scenario of SCENARIOS.filter(({ fields }) => fields > 0))
    contestants.push(await underLoad(context, BARE, scenario));
  return interleave(GROUPS.servers, contestants, effort.load);
}

/** Is there a difference of 2 %? Many short rounds, with the same server against itself as a control. */
export async function uncovered(context: Context): Promise<Row[]> {
  const [none, other] = SCENARIOS as [Scenario, Scenario]; // the first two
  const rows: Row[] = [];
  for (const framework of context.effort.frameworks) {
    const { seconds } = context.effort.fineLoad;
    const plain = await underLoad(context, framework, none, seconds);
    const covered = await underLoad(context, framework, other, seconds);
    const contestants = [
      { ...plain, name: none.name },
      { ...plain, name: CONTROL },
      { ...covered, name: other.name },
    ];
    rows.push(...(await interleave(GROUPS.uncovered(framework), contestants, context.effort.fineLoad)));
  }
  return rows;
}

async function underLoad(
  context: Context,
  framework: string,
  scenario: Scenario,
  seconds: number = context.effort.load.seconds,
): Promise<Contestant> {
  const server = await context.server(framework, scenario.middleware);
  const bodies = await bodiesFor(scenario, await context.pair('RSA-2048'));
  return {
    name: serverName(framework, scenario.name),
    sample: () => server.load(scenario, bodies, seconds),
  };
}

async function limit({ pair, effort }: Context): Promise<Contestant> {
  const key = await pair('RSA-2048');
  const { unwrap } = (await rawUnwrapping(key)).find(({ name }) => name === LIMIT_ASYNC) ?? {};
  const tokens = await tokensFor(1, key);
  const slice = { inFlight: 16, slice: effort.load.seconds * 1000 };
  return {
    name: LIMIT_ASYNC,
    sample: () => rateOf(() => unwrap?.(tokens[0] as string), slice),
  };
}

async function tokensFor(count: number, key: Pair): Promise<string[]> {
  const { client } = await endsFor(key);
  const { body } = await client.encryptRequest(fieldsRequest(count));
  return Object.values(body as object).slice(1);
}

async function bodiesFor({ path, fields }: Scenario, key: Pair): Promise<string[]> {
  const { client } = await endsFor(key);
  const plain =
    path === '/message' ? requestOf(path, { payee: PAYEE }) : { ...fieldsRequest(fields || 8), path };
  const sent = await Promise.all(Array.from({ length: BODIES }, () => client.encryptRequest(plain)));
  return sent.map(({ body }) => (typeof body === 'string' ? body : JSON.stringify(body)));
}
