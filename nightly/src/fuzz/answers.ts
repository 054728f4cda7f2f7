import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { badContent } from './content-flaws.js';
import { answerBytes, type Draft, withHeader } from './draft.js';
import { badHeader } from './header-flaws.js';
import { brokenJson, LURE } from './json-flaws.js';
import { goodToken, messageOf, OPERATIONS, type Put } from './message.js';
import { Random } from './random.js';
import type { ProfileName } from './setup.js';
import { brokenToken } from './token-flaws.js';

/** The operation that the call of an input is. */
export function operationOf(seed: number, number: number): string {
  return new Random(seed, 'call', number).pick([...OPERATIONS, 'GET /v2/payment_sessions/1']);
}

/** A request as far as a hostile server looks at it. */
export interface Asked {
  readonly operation: string;
  readonly body: string;
}

type Make = (asked: Asked, profile: ProfileName, random: Random) => Buffer;

const STATUSES = [
  '200 OK',
  '200 OK',
  '200 OK',
  '201 Created',
  '400 Bad Request',
  '422 Unprocessable',
  '500 Oops',
  '204 No Content',
  '304 Not Modified',
  '205 Reset',
  '299 ',
  '999 x',
  '302 Found',
  '307 Again',
  '401 x',
  '100 Continue',
  '101 Switching',
  '000 x',
];
const TYPES = [
  'application/json',
  'application/jose',
  'text/plain',
  'application/json; charset=utf-16',
  '',
  'text/html',
  'application/problem+json',
  'application/octet-stream',
];
const BODIES = [
  '',
  'null',
  '5',
  '"x"',
  '[]',
  '{}',
  JSON.stringify({ payee: LURE, mandate_id: 'lure', source: LURE, account_number: '1' }),
  '{"errors":[{"code":"invalid","source":"encryption key","title":"invalid encryption key"}]}',
  '{"error":{"code":"key_rejected"}}',
  'eyJ.a.b.c.d',
  '....',
];

/** With how likely each is. */
const KINDS: readonly (readonly [weight: number, make: Make])[] = [
  [2, (asked, profile, random) => answerBytes(answer(asked, profile, goodToken(profile), random))],
  [
    3,
    (asked, profile, random) =>
      answerBytes(
        answer(
          asked,
          profile,
          (place, secret) => brokenToken(String(goodToken(profile)(place, secret)), random).value,
          random,
        ),
      ),
  ],
  [
    3,
    (asked, profile, random) =>
      answerBytes(
        answer(
          asked,
          profile,
          (place, secret) => badHeader(profile, place, JSON.stringify(secret), random).value,
          random,
        ),
      ),
  ],
  [
    2,
    (asked, profile, random) =>
      answerBytes(
        answer(asked, profile, (place, secret) => badContent(profile, place, secret, random).value, random),
      ),
  ],
  [3, (asked, profile, random) => answerBytes(structure(asked, profile, random))],
  [
    2,
    (asked, profile, random) =>
      answerBytes(oddHead(answer(asked, profile, goodToken(profile), random), random)),
  ],
  [
    1,
    (_, __, random) =>
      answerBytes(
        oddHead(
          { start: '200 OK', headers: [['content-type', 'application/json']], body: random.pick(BODIES) },
          random,
        ),
      ),
  ],
  [
    1,
    (asked, profile, random) =>
      answerBytes(coded(answer(asked, profile, goodToken(profile), random), random)),
  ],
  [
    2,
    (asked, profile, random) =>
      scattered(answerBytes(answer(asked, profile, goodToken(profile), random)), random),
  ],
  [1, (_, __, random) => random.bytes(random.below(1_500))],
];
const DRAWN = KINDS.flatMap((kind) => Array.from({ length: kind[0] }, () => kind[1]));

/** What a hostile server answers to the call of an input. */
export function answerOf(seed: number, number: number, asked: Asked, profile: ProfileName): Buffer {
  const random = new Random(seed, 'answer', profile, number);
  return random.pick(DRAWN)(asked, profile, random);
}

/** A good answer, but for what `put` makes of its tokens. */
function answer(
  { operation: path, body: sent }: Asked,
  profile: ProfileName,
  put: Put,
  random: Random,
): Draft {
  const operation = path.replace(/\/1$/, '/:id');
  const where = { profile, direction: 'response', request: digestOf(sent) } as const;
  const template = OPERATIONS.includes(operation) ? operation : 'POST /v2/payment_sessions'; // also where one redirects to
  const placed: Put = (place, secret) => put({ ...place, operation }, secret);
  const isMessage = random.chance(0.2);
  const { body, whole } = messageOf(isMessage ? 'POST /v2/messages' : template, where, placed, random);
  return {
    start: '200 OK',
    headers: [['content-type', whole ? 'application/jose' : 'application/json']],
    body: whole && typeof body === 'string' ? body : JSON.stringify(body),
  };
}

/** What binds an answer to the tokens of its request. */
function digestOf(sent: string): string | undefined {
  const tokens = [...sent.matchAll(/eyJ[\w.-]+/g)].map(([token]) => token).sort();
  return tokens.length === 0 ? undefined : createHash('sha256').update(tokens.join('\n')).digest('base64url');
}

function structure(asked: Asked, profile: ProfileName, random: Random): Draft {
  const draft = answer(asked, profile, goodToken(profile), random);
  const text = String(draft.body);
  return { ...draft, body: brokenJson(text.startsWith('{') ? JSON.parse(text) : { token: text }, random) };
}

function oddHead(draft: Draft, random: Random): Draft {
  const start = random.pick(STATUSES);
  const typed = random.chance(0.5) ? withHeader(draft, 'content-type', random.pick(TYPES)) : draft;
  const location = random.pick(['/v2/payment_sessions/1', '', '/v2/messages', '//', '?', 'x:y']);
  const more = random.pick([
    ['location', location],
    ['x-many', 'x'.repeat(9_000)],
    ['set-cookie', 'a=b'],
    ['etag', 'x'],
    ['__proto__', 'x'],
    ['content-encoding', 'x'],
  ] as const);
  return { ...typed, start, headers: [...typed.headers, more] };
}

function coded(draft: Draft, random: Random): Draft {
  const body = Buffer.from(String(draft.body));
  const codings = [
    ['gzip', gzipSync(body)],
    ['br', brotliCompressSync(body)],
    ['gzip', gzipSync(body).subarray(0, -9)],
    ['gzip', gzipSync(Buffer.alloc(2_000_000, ' '))],
    ['deflate', body],
  ] as const;
  const [coding, bytes] = random.pick(codings);
  return withHeader({ ...draft, body: bytes }, 'content-encoding', coding);
}

function scattered(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes.subarray(0, random.chance(0.5) ? random.below(bytes.length) : bytes.length));
  for (let left = random.below(6); left > 0 && copy.length > 0; left -= 1)
    copy[random.below(copy.length)] = random.below(256);
  return copy;
}
