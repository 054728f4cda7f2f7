import { E2eeError, invalidOption } from '../errors.js';
import { refuseToken } from '../jwe/refusal.js';
import type { SigningKey } from '../jws/signing-key.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { E2eeRequest } from './message.js';

/** Finds the keys that the sender of a request signs with, by its (authenticated) headers; nothing for a stranger. */
export type FindVerificationKeys = (
  request: E2eeRequest,
) => VerificationKeys | undefined | Promise<VerificationKeys | undefined>;

export function checkSigning(key: SigningKey | undefined): SigningKey | undefined {
  if (key === undefined || typeof key?.sign === 'function') return key;
  return invalidOption('signWith', 'made by importSigningKey()', key);
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
  return { verify: async (jws) => ((await found(keys, request)) ?? refuseToken()).verify(jws) };
}

async function found(
  find: FindVerificationKeys,
  request: E2eeRequest,
): Promise<VerificationKeys | undefined> {
  try {
    return await find(request);
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
