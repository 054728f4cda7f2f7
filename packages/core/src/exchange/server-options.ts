import { checkChoice, E2eeError, invalidOption } from '../errors.js';
import type { SigningKey } from '../jws/signing-key.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { KeyRing } from '../keys/key-ring.js';
import { definePolicy } from '../policy/define-policy.js';
import type { Policy, PolicyDocument } from '../policy/policy.js';
import { checkProfile, type Profile } from '../profiles/profile.js';
import { type Report, reporter } from './events.js';
import type { LeakGuard } from './leak-guard.js';
import { checkLimits, type Limits } from './limits.js';
import type { E2eeRequest } from './message.js';
import type { FindRecipient } from './recipient.js';
import { defaultReplay, type ReplayGuard, type ReplayStore, replayGuard } from './replay.js';
import { checkAudience, checkFinding, checkSigning, type FindVerificationKeys } from './signing.js';
import { checkRequireTls, type RequireTls } from './tls.js';

export interface E2eeServerOptions {
  readonly profile: Profile;
  /** Default: the profile's own. */
  readonly policy?: Policy | PolicyDocument;
  /** Our private keys, which requests are encrypted to. */
  readonly keyRing: KeyRing;
  /** Finds whom a response is for. Default: nobody, so that fields are redacted. */
  readonly recipient?: FindRecipient<E2eeRequest>;
  /** Operations outside the policy: passed on untouched (`pass`, default) or refused (`refuse`). */
  readonly unmatched?: 'pass' | 'refuse';
  /**
   * Plaintext where the policy says encrypt: refused (`refuse`, default), or let through and reported (`accept`) while
   * an API is being migrated.
   */
  readonly plaintext?: 'refuse' | 'accept';
  /**
   * Whether operations of the policy, and the published keys, are refused over anything less than TLS 1.2. Default false;
   * `'trust-proxy'` believes the `X-Forwarded-Proto` of a proxy in front.
   */
  readonly requireTls?: RequireTls;
  /**
   * Remembers tokens, so that none is accepted twice; needs a profile whose tokens are bound to a time. Default: a
   * `memoryReplayStore()` where the profile requires that tokens have an id, else none. `false`: none.
   */
  readonly replay?: ReplayStore | false;
  /**
   * What is encrypted in requests must be signed by one of these keys, or by those of the sender that a function finds.
   * Default: no signature is looked for, and anybody can have sent it.
   */
  readonly verifyWith?: VerificationKeys | FindVerificationKeys;
  /** Signs what is encrypted in responses: `importSigningKey()`. Default: nothing is signed. */
  readonly signWith?: SigningKey;
  /**
   * Looks for values that are encrypted or redacted in the clear elsewhere in a response: `leakGuard`. Default: nobody does;
   * for tests, and wherever the search costs less than a leak.
   */
  readonly leakGuard?: LeakGuard | undefined;
  readonly limits?: Partial<Limits>;
  /** Hears what an operator should know. Default: a line on the console for the worrying ones. */
  readonly onEvent?: Report;
}

/** The options, checked, with what is made of them. */
export interface ServerSettings {
  readonly profile: Profile;
  readonly policy: Policy;
  readonly keyRing: KeyRing;
  readonly recipient: FindRecipient<E2eeRequest> | undefined;
  readonly refuseUnmatched: boolean;
  readonly acceptPlaintext: boolean;
  readonly requireTls: RequireTls;
  readonly replay: ReplayStore | false;
  readonly refuseReplay: ReplayGuard | undefined;
  readonly verifyWith: VerificationKeys | FindVerificationKeys | undefined;
  readonly signWith: SigningKey | undefined;
  readonly leakGuard: LeakGuard | undefined;
  readonly limits: Limits;
  readonly report: Report;
}

/** Throws `option_invalid` or `policy_invalid`. Tells the key ring how long its keys may be kept. */
export function checkServerOptions(options: E2eeServerOptions): ServerSettings {
  const { keyRing, recipient, unmatched = 'pass', plaintext = 'refuse', leakGuard } = options;
  const profile = checkProfile(options.profile);
  const { replay = defaultReplay(profile) } = options;
  const settings: ServerSettings = {
    profile,
    limits: checkLimits(options.limits),
    report: reporter(options.onEvent),
    policy: definePolicy(options.policy ?? profile.policy),
    keyRing,
    recipient,
    refuseUnmatched: unmatched === 'refuse',
    acceptPlaintext: plaintext === 'accept',
    requireTls: checkRequireTls(options.requireTls),
    replay,
    refuseReplay: replay === false ? undefined : replayGuard(replay, profile),
    signWith: checkSigning(options.signWith, profile),
    verifyWith: checkFinding(options.verifyWith),
    leakGuard,
  };
  if (typeof keyRing?.find !== 'function') invalidOption('keyRing', 'made by createKeyRing()', keyRing);
  if (recipient !== undefined && typeof recipient !== 'function')
    invalidOption('recipient', 'a function', recipient);
  if (leakGuard !== undefined && typeof leakGuard !== 'function')
    invalidOption('leakGuard', 'the `leakGuard` of this package', leakGuard);
  checkChoice('unmatched', unmatched, 'pass', 'refuse');
  checkChoice('plaintext', plaintext, 'refuse', 'accept');
  if (settings.verifyWith) checkVerified(settings);
  keyRing.publishedFor?.(profile.publication.maxAge);
  return settings;
}

function checkVerified({ profile, acceptPlaintext, refuseReplay }: ServerSettings): void {
  checkAudience('verifyWith', profile);
  // Without ids, the same value that is signed twice in a second looks as if it came again.
  if (refuseReplay && !profile.binding?.require.includes('id'))
    throw new E2eeError(
      'option_invalid',
      'Options `replay` and `verifyWith` together need a profile whose `binding` requires an id',
    );
  if (!acceptPlaintext) return;
  throw new E2eeError(
    'option_invalid',
    'Option `plaintext: "accept"` lets in what nobody has signed: leave `verifyWith` out',
  );
}
