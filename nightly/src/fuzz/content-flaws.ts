import type { Flawed } from './flaw.js';
import type { Random } from './random.js';
import { goodHeader, type Place, sealed } from './sealer.js';
import type { ProfileName } from './setup.js';

/* Good tokens with hostile contents. `secret` is a JSON text that proves where it came from. */

type Content = (secret: string, random: Random) => string | Uint8Array;

const NO_JSON: readonly Content[] = [
  (secret) => `${secret},`,
  (secret) => secret.slice(0, -1),
  (secret) => `'${secret}'`,
  (secret) => `\ufeff${secret}`,
  (secret) => Buffer.concat([Buffer.from(`[${secret},"`), Buffer.of(0xff, 0xfe), Buffer.from('"]')]),
  (secret) => `[NaN,${secret}]`,
  (secret) => `${'['.repeat(200)}${secret}${']'.repeat(200)}`,
  (secret) => `[${secret},${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}]`,
  (secret) => `[${secret},"${'x'.repeat(20_000)}"]`,
];
/** For fields that have to be JSON: elsewhere these are texts, which prove nothing. */
const NOTHING: readonly Content[] = [() => '', () => ' ', () => 'null,', () => Buffer.of(0)];
const STRANGE_JSON: readonly Content[] = [
  (secret) => `{"__proto__":{"polluted":true},"proof":${secret}}`,
  (secret) => `{"constructor":{"prototype":{"polluted":true}},"proof":${secret}}`,
  (secret) => `{"proof":1,"proof":${secret}}`,
  (secret) => `{"proof":${secret},"toJSON":"x","then":{},"valueOf":null,"toString":5,"length":1e9}`,
  (secret) => `[${secret},1e400,-0,12345678901234567890,0.1e-400]`,
  (secret) => `[${secret},"\\ud800","\\u0000","\u2028"]`,
  (secret) => `${'['.repeat(60)}${secret}${']'.repeat(60)}`,
  (secret) => `{"encrypted_payee":"eyJ.a.b.c.d","payee":${secret}}`,
  (secret) => ` \n${secret}\t `,
];

/** A token that opens, to something that is no JSON, nested too deep, or only strange. */
export function badContent(profile: ProfileName, place: Place, secret: string, random: Random): Flawed {
  const isJson = /^(?:payee|\$|.*source)$/.test(place.path);
  const content = random.pick([...STRANGE_JSON, ...NO_JSON, ...(isJson ? NOTHING : [])])(
    JSON.stringify(secret),
    random,
  );
  const value = sealed(place, JSON.stringify(goodHeader(profile, place)), content);
  // Whether a text has to be JSON, the row of the field says.
  return { value, expected: 'anything' };
}
