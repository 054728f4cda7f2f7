import { E2eeError, invalidOption } from '../errors.js';
import { refuseToken } from '../jwe/refusal.js';
import type { SigningKey } from '../jws/signing-key.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { Profile } from '../profiles/profile.js';
import type { E2eeRequest } from './message.js';

/**
 * Whoever receives a signed value can encrypt it to somebody else. A binding is there to say where a value belongs: without
 * these it would not say the most important thing.
 */
export function checkAudience(option: string, { binding }: Profile): void {
  const missing = ADDRESS.find((claim) => binding && !binding.require.includes(claim));
  if (missing)
    throw new E2eeError(
      'option_invalid',
      `Option \`${option}\` needs a profile whose binding requires the \`${missing}\``,
    );
}

const ADDRESS = ['audience', 'recipient'] as const;

/** Finds the keys that the sender of a request signs with, by its (authenticated) headers; nothing for a stranger. */
export type FindVerificationKeys = (
  request: E2eeRequest,
) => VerificationKeys | undefined | Promise<VerificationKeys | undefined>;

/** Throws `option_invalid`. */
export function checkSigning(key: SigningKey | undefined, profile: Profile): SigningKey | undefined {
  if (key === undefined) return undefined;
  if (typeof key?.sign !== 'function') invalidOption('signWith', 'made by importSigningKey()', key);
  checkAudience('signWith', profile);
  return key;
}

export function checkVerifying(keys: VerificationKeys | undefined): VerificationKeys | undefined {
  if (keys === undefined || typeof keys?.verify === 'function') return keys;
  return invalidOption('verifyWith', 'made by verificationKeys() or remoteVerificationKeys()', keys);
}

export function checkFinding(
  keys: VerificationKeys | FindVerificationKeys | undefined,
): VerificationKeys | FindVerificationKeys | undefined {
  return typeof keys === 'function' ? keys : checkVerifying(keys);
}

/** The keys for one request. Whoever has none is refused; looked for only when there is something to verify. */
export function verifierOf(
  keys: VerificationKeys | FindVerificationKeys | undefined,
  request: E2eeRequest,
): VerificationKeys | undefined {
  if (typeof keys !== 'function') return keys;
  let asked: Promise<VerificationKeys | undefined> | undefined;
  return {
    verify: async (jws) => {
      asked ??= found(keys, request);
      return ((await asked) ?? refuseToken()).verify(jws);
    },
  };
}

async function found(
  find: FindVerificationKeys,
  request: E2eeRequest,
): Promise<VerificationKeys | undefined> {
  try {
    return checkVerifying(await find(request));
  } catch (cause) {
    throw new E2eeError(
      'keys_unavailable',
      'The keys of the sender could not be found: `verifyWith` has thrown',
      {
        cause,
      },
    );
  }
}
