import { randomBytes } from 'node:crypto';
import type { Lock } from '../forge/lock.js';
import { compact, flipped, type Parts, sealParts } from '../forge/token.js';
import { CONTROL, CONTROL_AGAIN, type FailureClass, failureClass } from './failure-class.js';

/** What the classes of one kind of key differ in. */
export interface Subject {
  readonly name: string;
  readonly lock: Lock;
  /** A key of the same kind that the receiver does not hold, under the same `kid`. */
  readonly stranger: Lock;
  /** Lengths, other than 32, of CEKs that can be wrapped. */
  readonly cekLengths: readonly number[];
  /** Encrypted keys that cannot be unwrapped, by what is wrong with them; these reach the private key. */
  readonly badKeys: Readonly<Record<string, () => Buffer>>;
  /** Those that whoever made them knows to be bad, because what is checked is public. */
  readonly openlyBadKeys: Readonly<Record<string, () => Buffer>>;
}

const PLAINTEXT = JSON.stringify({ name: 'Zoë Müller', account_number: '00012345', sort_code: '040004' });
const NO_JSON = `${PLAINTEXT.slice(0, -1)},`;

/** Every class of a kind of key. What is no JSON is bad in a request only. */
export function classesOf(subject: Subject): readonly FailureClass[] {
  return [...unwrapping(subject), ...opening(subject), ...references(subject), ...openly(subject)];
}

function bad(name: string, make: () => string): FailureClass {
  return failureClass({ name, group: 'reaches the key', expected: 'token_invalid' }, make);
}

/** The encrypted key is bad. */
function unwrapping({ lock, stranger, cekLengths, badKeys }: Subject): FailureClass[] {
  return [
    bad('flipped bit in the encrypted key', () =>
      changed(lock, (good) => ({
        encryptedKey: flipped(good.encryptedKey, 900 % (8 * good.encryptedKey.length)),
      })),
    ),
    ...Object.entries(badKeys).map(([name, make]) =>
      bad(name, () => changed(lock, () => ({ encryptedKey: make() }))),
    ),
    bad('token for another key, with the kid of this one', () => compact(goodParts(stranger))),
    ...cekLengths.map((length) =>
      bad(`CEK of ${length} bytes`, () => compact(goodParts(lock, randomBytes(length)))),
    ),
  ];
}

/** The encrypted key is good, the content is not. */
function opening({ lock }: Subject): FailureClass[] {
  const wrongTag = (): string => changed(lock, ({ tag }) => ({ tag: flipped(tag, 70) }));
  return [
    bad('flipped bit in the ciphertext', () =>
      changed(lock, ({ ciphertext }) => ({ ciphertext: flipped(ciphertext, 70) })),
    ),
    bad(CONTROL, wrongTag),
    bad(CONTROL_AGAIN, wrongTag),
    bad('flipped bit in the IV', () => changed(lock, ({ iv }) => ({ iv: flipped(iv, 70) }))),
    bad('changed header (AAD)', () =>
      changed(lock, ({ header }) => ({ header: String(header).replace('"AAAA"', '"AAAB"') })),
    ),
  ];
}

/** What opens: good tokens, and those whose content turns out to be no JSON. */
function references({ lock }: Subject): FailureClass[] {
  const reference = { group: 'reference', expected: 'opens' } as const;
  return [
    failureClass({ ...reference, name: 'good token' }, () => compact(goodParts(lock))),
    failureClass({ ...reference, name: NOT_JSON }, () => compact(goodParts(lock, randomBytes(32), NO_JSON))),
  ];
}

/** Opens as a token; a request with it is refused. */
export const NOT_JSON = 'good token, content is not JSON';

/** Refused for what the sender knows, before the private key is used. */
function openly({ lock, openlyBadKeys }: Subject): FailureClass[] {
  const open = { group: 'known to the sender', expected: 'token_invalid' } as const;
  const withHeader = (members: object): string =>
    compact(goodParts(lock, randomBytes(32), PLAINTEXT, members));
  return [
    failureClass({ ...open, name: 'four segments' }, () => compact(goodParts(lock)).replace(/\.[^.]*$/, '')),
    failureClass({ ...open, name: 'algorithm that is not accepted' }, () => withHeader({ alg: 'RSA1_5' })),
    failureClass({ ...open, name: 'unknown kid', expected: 'key_rejected' }, () =>
      withHeader({ kid: 'none' }),
    ),
    ...Object.entries(openlyBadKeys).map(([name, make]) =>
      failureClass({ ...open, name }, () => changed(lock, () => ({ encryptedKey: make() }))),
    ),
  ];
}

function changed(lock: Lock, change: (good: Parts) => Partial<Parts>): string {
  const good = goodParts(lock);
  return compact({ ...good, ...change(good) });
}

function goodParts(
  lock: Lock,
  cek: Buffer = randomBytes(32),
  plaintext = PLAINTEXT,
  members: object = {},
): Parts {
  const { encryptedKey, header } = lock.wrap(cek);
  const whole = { ...lock.header, enc: 'A256GCM', note: 'AAAA', ...header, ...members };
  return sealParts(JSON.stringify(whole), encryptedKey, { cek, plaintext });
}
