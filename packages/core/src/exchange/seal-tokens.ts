import { E2eeError } from '../errors.js';
import { encodeField } from '../fields/encoding.js';
import type { FieldSlot } from '../fields/select.js';
import type { FieldRule } from '../fields/tree.js';
import { type EncryptJweOptions, encryptJwe } from '../jwe/encrypt.js';
import type { EncryptionKey } from '../keys/key.js';
import type { Profile } from '../profiles/profile.js';
import { claimsOf, type Whereabouts } from './binding.js';

/** What encrypting needs. */
export interface Sealer {
  readonly key: EncryptionKey;
  readonly profile: Profile;
  readonly where: Whereabouts;
}

/** Encrypts the plain form of each slot, and tells what became of which. Nothing is changed when one of them fails. */
export async function sealSlots(
  slots: readonly FieldSlot[],
  sealer: Sealer,
): Promise<{ rule: FieldRule; token: string }[]> {
  const plain = slots.filter((slot) => slot.plain);
  const plaintexts = plain.map(({ rule, plain: field }) => encodeField(field?.value, rule.as, rule.path));
  const tokens = await Promise.all(plaintexts.map((bytes, i) => seal(bytes, plain[i]?.place ?? '', sealer)));
  return plain.map((slot, i) => {
    const token = tokens[i] as string; // one for each
    slot.setWire(token);
    return { rule: slot.rule, token };
  });
}

/** One token, for this place in the exchange. Rejects with `encryption_failed`. */
export function seal(
  plaintext: Uint8Array,
  path: string,
  { key, profile, where }: Sealer,
  options: Pick<EncryptJweOptions, 'cty'> = {},
): Promise<string> {
  const header = claimsOf(profile.binding, { ...where, path });
  return encryptJwe(plaintext, checkKey(key, profile), { enc: profile.encrypt.enc, header, ...options });
}

/** A key must be for an algorithm that the profile knows: its peers would refuse the token. */
function checkKey(key: EncryptionKey, { name, accept }: Profile): EncryptionKey {
  if (accept.alg.includes(key.alg)) return key;
  throw new E2eeError(
    'encryption_failed',
    `The key is for \`${key.alg}\`, which profile \`${name}\` does not list`,
  );
}
