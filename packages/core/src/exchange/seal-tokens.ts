import { E2eeError } from '../errors.js';
import { encodeField } from '../fields/encoding.js';
import type { FieldSlot } from '../fields/select.js';
import type { FieldRule } from '../fields/tree.js';
import { type EncryptJweOptions, encryptJwe } from '../jwe/encrypt.js';
import type { SigningKey } from '../jws/signing-key.js';
import type { EncryptionKey } from '../keys/key.js';
import { thumbprintOf } from '../keys/thumbprint.js';
import type { MessageKey } from '../profiles/per-message-key.js';
import type { Profile } from '../profiles/profile.js';
import type { Whereabouts } from './binding.js';

/** What encrypting needs. */
export interface Sealer {
  /** Of the other end; or the secret of the call. */
  readonly key: EncryptionKey | MessageKey;
  readonly profile: Profile;
  readonly where: Whereabouts;
  readonly signWith?: SigningKey | undefined;
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

/** One token, for this place in the exchange: signed first, where we sign. Rejects with `encryption_failed`. */
export async function seal(
  plaintext: Uint8Array,
  path: string,
  { key: given, profile, where, signWith }: Sealer,
  options: Pick<EncryptJweOptions, 'cty' | 'typ'> = {},
): Promise<string> {
  const { enc } = profile.encrypt;
  const place = { ...where, path };
  const isAgreed = 'sealingKey' in given;
  const key = isAgreed ? given.sealingKey(place) : checkKey(given, profile);
  const claims = profile.binding?.claims(place) ?? {};
  const header = isAgreed ? {} : claims; // the place is in what its key is derived from
  if (!signWith) return encryptJwe(plaintext, key, { enc, header, ...options });
  // Both say where it belongs: whoever opens it could otherwise encrypt what was signed for another place (RFC 7519 §11.2).
  const recipient = await thumbprintOf(key.publicJwk);
  const said = { ...profile.binding?.claims({ ...place, recipient }), ...claims };
  const signed = await signWith.sign(plaintext, said).catch(signingFailed);
  return encryptJwe(new TextEncoder().encode(signed), key, { ...options, enc, header, cty: 'JWT' });
}

function signingFailed(cause: unknown): never {
  throw new E2eeError('encryption_failed', 'The value could not be signed', { cause });
}

/** A key must be for an algorithm that the profile knows: its peers would refuse the token. */
function checkKey(key: EncryptionKey, { name, accept }: Profile): EncryptionKey {
  if (accept.alg.includes(key.alg)) return key;
  throw new E2eeError(
    'encryption_failed',
    `The key is for \`${key.alg}\`, which profile \`${name}\` does not list`,
  );
}
