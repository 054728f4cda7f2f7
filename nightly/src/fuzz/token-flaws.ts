import type { Flawed } from './flaw.js';
import type { Random } from './random.js';

/* Good tokens, broken on the way. */

const STRANGE = [
  '=',
  '==',
  ' ',
  '\n',
  '\r\n',
  '\t',
  '\0',
  '+',
  '/',
  '%41',
  'Ａ',
  '\ud800',
  '\ufeff',
  '.',
  '!',
];
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

type Break = (token: string, random: Random) => unknown;

const onSegment =
  (change: (segment: string, random: Random) => string): Break =>
  (token, random) => {
    const segments = token.split('.');
    const at = random.below(segments.length);
    return segments.map((segment, i) => (i === at ? change(segment, random) : segment)).join('.');
  };

const BREAKS: readonly Break[] = [
  onSegment(flipBit),
  onSegment(flipBit),
  onSegment((segment, random) => cut(segment, random.below(segment.length), 1, random.pick([...ALPHABET]))),
  onSegment((segment, random) => cut(segment, random.below(segment.length), 1, '')),
  onSegment((segment, random) => cut(segment, random.below(segment.length + 1), 0, random.pick(STRANGE))),
  onSegment((segment) => nextSpelling(segment)),
  onSegment(() => ''),
  onSegment((segment) => segment.repeat(2)),
  onSegment((_, random) => random.bytes(random.below(300)).toString('base64url')),
  onSegment((segment) => 'A'.repeat(segment.length)),
  onSegment((segment) => '_'.repeat(segment.length)),
  (token, random) => swapped(token.split('.'), random).join('.'),
  (token) => token.split('.').slice(0, -1).join('.'),
  (token) => `${token}.AAAA`,
  (token, random) => token.slice(0, 1 + random.below(token.length - 1)),
  (_, random) => '.'.repeat(random.below(40_000)),
  (token) => `eyJ${'A'.repeat(20_000)}${token}`,
  (token) => shifted(token),
  (token) => {
    const [header, encrypted_key, iv, ciphertext, tag] = token.split('.');
    return { protected: header, encrypted_key, iv, ciphertext, tag };
  },
  (token) => [token],
  (token, random) => random.pick<unknown>([null, 5, true, {}, [], '', 'eyJ', '....', token.split('.')]),
];

/** What is surely no good token any more. One whose header changed may name an unknown key. */
export function brokenToken(token: string, random: Random): Flawed {
  const value = random.pick(BREAKS)(token, random);
  return { value, expected: value === token ? 'anything' : 'refused or rejected' };
}

function flipBit(segment: string, random: Random): string {
  const bytes = Buffer.from(segment, 'base64url');
  const at = random.below(bytes.length);
  bytes[at] = Number(bytes[at]) ^ (1 << random.below(8));
  return bytes.toString('base64url');
}

function cut(text: string, at: number, length: number, put: string): string {
  return text.slice(0, at) + put + text.slice(at + length);
}

/** The same bytes with unused bits that are not zero, where there are any; else another last letter. */
function nextSpelling(segment: string): string {
  const last = ALPHABET.indexOf(segment.slice(-1));
  return `${segment.slice(0, -1)}${ALPHABET.charAt((last + 1) % 64)}`;
}

function swapped(segments: readonly string[], random: Random): string[] {
  const [one, other] = [random.below(5), random.below(5)];
  return segments.map((segment, i) => segments[i === one ? other : i === other ? one : i] ?? segment);
}

/** The boundary between ciphertext and tag, four letters to the left. */
function shifted(token: string): string {
  const [head, key, iv, ciphertext = '', tag = ''] = token.split('.');
  return [head, key, iv, ciphertext.slice(0, -4), ciphertext.slice(-4) + tag].join('.');
}
