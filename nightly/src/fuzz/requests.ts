import { badContent } from './content-flaws.js';
import { type Draft, requestBytes } from './draft.js';
import type { Expected } from './flaw.js';
import { badHeader } from './header-flaws.js';
import { brokenJson, lureBody } from './json-flaws.js';
import { goodToken, type Message, messageOf, OPERATIONS, type Put } from './message.js';
import { Random } from './random.js';
import { oddBytes, oddCoding, oddHeaders, oddMethod, oddPath, oddType } from './request-flaws.js';
import { type ProfileName, SESSIONS } from './setup.js';
import { brokenToken } from './token-flaws.js';

/** What is sent to a server, and what must come of it. */
export interface Input {
  readonly kind: string;
  /** Sent one after the other, each over a connection of its own. What is expected, is expected of the last. */
  readonly sends: readonly Buffer[];
  readonly expected: Expected;
}

type Make = (profile: ProfileName, random: Random) => Omit<Input, 'kind'>;

const CLIENTS = ['encrypt', 'redact', 'message', 'nobody'];
const ACTS = ['echo', 'echo', 'echo', 'missing', 'empty', 'text'];

/** With how likely each is. */
const KINDS: readonly (readonly [kind: string, weight: number, make: Make])[] = [
  ['valid', 1, (profile, random) => once(good(profile, random), 'accepted')],
  ['again', 1, (profile, random) => again(good(profile, random), profile)],
  [
    'answers',
    1,
    (profile, random) =>
      once(withAct(random.chance(0.3) ? show(random) : good(profile, random), random), 'anything'),
  ],
  [
    'token',
    3,
    (profile, random) =>
      flawed(profile, random, (put) => (place, secret) => brokenToken(String(put(place, secret)), random)),
  ],
  [
    'header',
    3,
    (profile, random) =>
      flawed(
        profile,
        random,
        () => (place, secret) => badHeader(profile, place, JSON.stringify(secret), random),
      ),
  ],
  [
    'content',
    2,
    (profile, random) =>
      flawed(profile, random, () => (place, secret) => badContent(profile, place, secret, random)),
  ],
  ['json', 3, (profile, random) => once(structure(profile, random), 'anything')],
  ['path', 2, (profile, random) => once(oddPath(bait(profile, random), random), 'anything')],
  ['method', 1, (profile, random) => once(oddMethod(bait(profile, random), random), 'anything')],
  ['type', 2, (profile, random) => once(oddType(bait(profile, random), random), 'anything')],
  ['coding', 1, (profile, random) => once(oddCoding(bait(profile, random), random), 'anything')],
  ['headers', 1, (profile, random) => once(oddHeaders(bait(profile, random), random), 'anything')],
  [
    'bytes',
    2,
    (profile, random) => ({ sends: [oddBytes(bait(profile, random), random)], expected: 'anything' }),
  ],
  ['several', 2, (profile, random) => once(several(profile, random), 'anything')],
];
const DRAWN = KINDS.flatMap((kind) => Array.from({ length: kind[1] }, () => kind));

/** The input of a number: the same whenever it is made, but for the randomness of the encryption. */
export function inputOf(seed: number, subject: string, number: number, profile: ProfileName): Input {
  const random = new Random(seed, subject, number);
  const [kind, , make] = random.pick(DRAWN);
  return { kind, ...make(profile, random) };
}

function once(draft: Draft, expected: Expected): Omit<Input, 'kind'> {
  return { sends: [requestBytes(draft)], expected };
}

/** The same bytes twice: a profile that binds its tokens takes them once. */
function again(draft: Draft, profile: ProfileName): Omit<Input, 'kind'> {
  const bytes = requestBytes(draft);
  return { sends: [bytes, bytes], expected: profile === 'strict' ? 'refused' : 'accepted' };
}

function flawed(
  profile: ProfileName,
  random: Random,
  flaw: (good: Put) => (...args: Parameters<Put>) => { value: unknown; expected: Expected },
): Omit<Input, 'kind'> {
  const good = goodToken(profile);
  let expected: Expected | undefined;
  // The first value has the flaw, the others are good.
  const put: Put = (place, secret) => {
    if (expected !== undefined) return good(place, secret);
    const made = flaw(good)(place, secret);
    expected = attempted(made.value, place.path) ? made.expected : 'anything';
    return made.value;
  };
  const message = messageOf(random.pick(OPERATIONS), { profile, direction: 'request' }, put, random);
  return once(draftOf(message, random), expected ?? 'anything');
}

/** Whether a value is surely meant as a token, so that it must be refused as one. */
function attempted(value: unknown, path: string): boolean {
  return typeof value === 'string' && value.startsWith('eyJ') && (path !== '$' || !/[^\w.-]/.test(value));
}

function good(profile: ProfileName, random: Random): Draft {
  const message = messageOf(
    random.pick(OPERATIONS),
    { profile, direction: 'request' },
    goodToken(profile),
    random,
  );
  return draftOf(message, random);
}

/** Good, or with everything in plain where it should be encrypted, so that a way past the policy shows. */
function bait(profile: ProfileName, random: Random): Draft {
  if (random.chance(0.3)) return good(profile, random);
  if (random.chance(0.1)) return show(random);
  const operation = random.pick(OPERATIONS);
  return { ...draftOf({ operation, body: {}, whole: false }, random), body: lureBody(operation) };
}

function show(random: Random): Draft {
  return {
    start: `GET ${SESSIONS}/${random.below(99)}`,
    headers: [['x-client', random.pick(CLIENTS)]],
    body: undefined,
  };
}

function structure(profile: ProfileName, random: Random): Draft {
  const message = messageOf(
    random.pick(OPERATIONS),
    { profile, direction: 'request' },
    goodToken(profile),
    random,
  );
  return { ...draftOf(message, random), body: brokenJson(message.body, random) };
}

function withAct(draft: Draft, random: Random): Draft {
  return { ...draft, headers: [...draft.headers, ['x-act', random.pick(ACTS)]] };
}

const ODDITIES = [oddPath, oddMethod, oddType, oddCoding, oddHeaders, oddType, oddPath];

function several(profile: ProfileName, random: Random): Draft {
  const start = random.chance(0.5) ? structure(profile, random) : bait(profile, random);
  return Array.from({ length: 2 + random.below(3) }, () => random.pick(ODDITIES)).reduce(
    (draft, odd) => odd(draft, random),
    start,
  );
}

function draftOf({ operation, body, whole }: Message, random: Random): Draft {
  const type = whole ? 'application/jose' : 'application/json';
  return {
    start: operation,
    headers: [
      ['content-type', type],
      ['x-client', random.pick(CLIENTS)],
    ],
    body: whole && typeof body === 'string' ? body : JSON.stringify(body),
  };
}
