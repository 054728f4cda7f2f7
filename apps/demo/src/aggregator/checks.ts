import type { HandledCall } from '@e2ee-apps/aggregator';
import type { Exchange } from '../capture.js';
import { areFresh, check, count, isFor, noLeak, sameJson } from '../checks.js';
import { leakedPaths } from '../leaks.js';
import { type Check, wireMessage } from '../report.js';
import { tokenOf, tokensIn } from '../tokens.js';
import type { Passed } from './intermediate.js';
import { confirmationOf, nameOf, secretsOf, withSecrets } from './secrets.js';

/** One call, as everyone who took part in it saw it. */
export interface Observation {
  readonly method: string;
  readonly path: string;
  readonly typed: Readonly<Record<string, unknown>>;
  /** What both recorders wrote down: before the intermediate server, and behind it. */
  readonly exchanges: readonly [readonly Exchange[], readonly Exchange[]];
  readonly passed: readonly Passed[];
  readonly handled: readonly HandledCall[];
  readonly status: number;
  readonly confirmed: unknown;
  readonly kid: string;
}

const TOKEN = 'token';

export function checkCall(observation: Observation): Check[] {
  return [checkOnce(observation), ...checkWire(observation), ...checkEnds(observation)];
}

function checkOnce({ exchanges, passed, handled, status }: Observation): Check {
  const counts = [...exchanges.map(({ length }) => length), passed.length, handled.length];
  const ok = counts.every((number) => number === 1) && status < 300;
  return check('one call, which went through', ok, `${counts.join(', ')} calls, answered ${status}`);
}

/** What everyone between could read, of both connections and in the log of the intermediate server. */
function checkWire({ method, path, typed, exchanges, passed, kid }: Observation): Check[] {
  const all = exchanges.flat();
  const secrets = secretsOf(typed);
  const startLine = `${method} ${path} HTTP/1.1`;
  const visible = withSecrets(typed, () => '');
  const leaks = [
    ...all.flatMap(({ request }) => leakedPaths({ message: request, secrets, startLine, visible })),
    ...all.flatMap(({ response }) => answerLeaks(response.body.toString('utf8'), secrets)),
  ];
  const bodies = all.map(({ request }) => request.body);
  const log = passed.map(({ request }) => request);
  const isLogged = log.length > 0 && [...bodies, ...log].every((body) => log[0]?.equals(body));
  const tokens = tokensIn(String(log[0] ?? ''));
  const due = withSecrets(typed, () => TOKEN);
  const seen = all.map(({ request }) => withTokensNamed(wireMessage(request).body));
  const isInPlace = seen.length > 0 && seen.every((body) => sameJson(body, due));
  return [
    noLeak('nothing that was typed readable on either side of it', all.length > 0, leaks),
    check('what the intermediate server logged is what passed, byte for byte', isLogged, 'it is not'),
    check(
      `${count(secrets.length, 'value')} encrypted in place to the aggregator, nothing else changed`,
      isInPlace && tokens.length === secrets.length && tokens.every(isFor(kid)),
      `${count(tokens.length, 'token')}; names, other values, algorithms or key ids differ from what is due`,
    ),
    check('a fresh CEK and IV in each token', areFresh(tokens), 'two tokens have one in common'),
  ];
}

/** What of the credentials an answer shows. Its last two characters may be there. */
function answerLeaks(text: string, secrets: ReturnType<typeof secretsOf>): string[] {
  const isShown = (value: unknown): boolean =>
    String(value).length >= 4 && text.includes(JSON.stringify(value).slice(1, -1));
  return secrets.filter(({ value }) => isShown(value)).map(({ path }) => `${path} in the answer`);
}

function checkEnds({ typed, handled, confirmed }: Observation): Check[] {
  const credentials = Object.fromEntries(
    secretsOf(typed).map(({ path, value }) => [nameOf(path), confirmationOf(value)]),
  );
  const shown: Record<string, unknown> = Object(Reflect.get(Object(confirmed), 'credentials'));
  // What a bank asks for once is used and forgotten: then the answer confirms what is kept.
  const fitting = Object.keys(credentials).filter((name) => Object.hasOwn(shown, name));
  const isRight = fitting.every((name) => sameJson(shown[name], credentials[name]));
  return [
    check(
      'the aggregator saw exactly what was typed',
      handled.length === 1 && sameJson(handled[0]?.body, typed),
      'what it saw differs from what was typed',
    ),
    check(
      'it confirmed lengths and ends, no more',
      isRight && Object.keys(shown).length > 0,
      'what it confirmed is something else',
    ),
  ];
}

function withTokensNamed(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withTokensNamed(member)]));
  return tokenOf(value) ? TOKEN : value;
}
