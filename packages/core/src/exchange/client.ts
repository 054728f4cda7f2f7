import { checkChoice, E2eeError, invalidOption } from '../errors.js';
import { requireWebCrypto } from '../jwe/web-crypto.js';
import type { SigningKey } from '../jws/signing-key.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { EncryptionKeys } from '../keys/encryption-keys.js';
import type { KeyRing } from '../keys/key-ring.js';
import { definePolicy } from '../policy/define-policy.js';
import type { Policy, PolicyDocument } from '../policy/policy.js';
import { checkProfile, type Profile } from '../profiles/profile.js';
import { digestOf } from './binding.js';
import { capacityOf } from './capacity.js';
import { type Report, reporter } from './events.js';
import type { LeakGuard } from './leak-guard.js';
import { ANSWER_DEFAULTS, checkLimits, type Limits } from './limits.js';
import { type E2eeRequest, type E2eeResponse, mediaType } from './message.js';
import { type OpenResponseContext, openResponse } from './open-response.js';
import { isKeyRejection } from './profile-answers.js';
import { type SealedRequest, type SealingContext, sealRequest } from './seal-request.js';
import { checkAudience, checkSigning, checkVerifying } from './signing.js';
import { refuseWithoutTls } from './tls.js';

export interface E2eeClientOptions {
  readonly profile: Profile;
  /** Default: the profile's own. */
  readonly policy?: Policy | PolicyDocument;
  /** The provider's public keys: `remoteJwks(url)` or `staticKeys(key)`. */
  readonly encryptionKeys: EncryptionKeys;
  /** Our private keys, for encrypted responses. Without it, ciphertext in responses is left as it is. */
  readonly keyRing?: KeyRing;
  /** Signs what is encrypted in requests: `importSigningKey()`. Default: nothing is signed. */
  readonly signWith?: SigningKey;
  /** What is encrypted in responses must be signed by one of these keys. Default: no signature is looked for. */
  readonly verifyWith?: VerificationKeys;
  /**
   * Values that are tokens for this profile, and bodies that are: left as they are (`keep`, default), or encrypted as
   * every other (`encrypt`), because whoever chooses the values is not trusted: a value that is not encrypted tells which
   * it is. Members under the name of an encrypted field are refused then, with `field_invalid`.
   */
  readonly alreadyEncrypted?: 'keep' | 'encrypt';
  /**
   * A value in an answer that should have been protected but came in plain: reported (`accept`), or refused with
   * `plaintext_refused` (`refuse`), so that whoever is between cannot put one there. Default `refuse` where answers must be
   * signed or bound, or the profile has a `perMessageKey`; else `accept`.
   */
  readonly plaintext?: 'refuse' | 'accept';
  /** Operations outside the policy: sent untouched (`pass`, default) or refused (`refuse`). */
  readonly unmatched?: 'pass' | 'refuse';
  /** Whether any request is refused that would leave this machine by less than TLS 1.2. Default false. */
  readonly requireTls?: boolean;
  /**
   * Looks for values that are encrypted in the clear elsewhere in a request: `leakGuard`. Default: nobody does; for tests, and
   * wherever the search costs less than a leak.
   */
  readonly leakGuard?: LeakGuard | undefined;
  readonly limits?: Partial<Limits>;
  /** Hears what an operator should know. Default: a line on the console for the worrying ones. */
  readonly onEvent?: Report;
}

/** The client end of a call: the policy applied to what is sent and what comes back. */
export interface E2eeClient {
  /** Whether requests must go by TLS: then an adapter also follows no redirection that leaves it. */
  readonly requireTls: boolean;
  /** Whether it looks for leaks: then the `path` it is given has the query as well. */
  readonly guardsLeaks?: boolean;
  /** Whether the policy says anything of this operation. */
  covers(request: Pick<E2eeRequest, 'method' | 'path'>): boolean;
  /**
   * Whether `decryptResponse` or `recoverFrom` may have to look into the body of an answer. An adapter hands on others unread:
   * they may be large, or without an end.
   */
  reads(
    request: Pick<E2eeRequest, 'method' | 'path'>,
    answer: Pick<E2eeResponse, 'status' | 'headers'>,
  ): boolean;
  /**
   * Encrypts what the policy says. Applied to its own result it changes nothing, unless `alreadyEncrypted` says
   * otherwise. The input is never mutated; an operation outside the policy is returned as it is.
   *
   * Rejects with `keys_unavailable`, `crypto_unavailable`, `body_unreadable`, `media_type_unsupported`, `field_invalid`,
   * `field_conflict`, `field_required`, `leak_refused`, `encryption_failed`, `operation_refused` or `tls_required`: then nothing may be
   * sent.
   */
  encryptRequest(request: E2eeRequest): Promise<E2eeRequest>;
  /**
   * Restores what the response to a request encrypts: a whole message, or fields. What is redacted stays so. A field
   * that should have been protected but came in plain is reported as `plaintext_received`.
   *
   * Rejects with `token_invalid` or `key_rejected` when something cannot be decrypted, and with `plaintext_refused`.
   */
  decryptResponse(request: E2eeRequest, response: E2eeResponse): Promise<E2eeResponse>;
  /**
   * After a response: when the provider rejected our key, looks for another. Resolves to true when a different key than
   * the one of `request` is now in use, so that encrypting the plain request again and sending it can help.
   * `request` is what was given to `encryptRequest`, or its result.
   */
  recoverFrom(request: E2eeRequest, response: E2eeResponse): Promise<boolean>;
}

/**
 * Makes the client end. Throws `option_invalid` or `policy_invalid`.
 *
 * @example
 * const client = createE2eeClient({ profile: banked, encryptionKeys: remoteJwks(url), keyRing })
 * const sent = await client.encryptRequest({ method: 'POST', path: '/v2/payment_sessions', headers: {}, body })
 */
export function createE2eeClient(options: E2eeClientOptions): E2eeClient {
  return new Client(options);
}

/** What is known of a request that was sent. */
type Sent = Omit<SealedRequest, 'request'>;

class Client implements E2eeClient {
  readonly requireTls: boolean;
  readonly guardsLeaks: boolean;
  readonly #policy: Policy;
  readonly #refuseUnmatched: boolean;
  readonly #sealing: SealingContext;
  readonly #opening: Omit<OpenResponseContext, 'request'>;
  /** What became of a request, under the plain and the encrypted form of it. */
  readonly #sent = new WeakMap<E2eeRequest, Sent>();

  constructor(options: E2eeClientOptions) {
    const { encryptionKeys, keyRing, alreadyEncrypted = 'keep', unmatched = 'pass' } = options;
    const { requireTls = false, leakGuard } = options;
    const profile = checkProfile(options.profile);
    this.#policy = definePolicy(options.policy ?? profile.policy);
    if (typeof encryptionKeys?.current !== 'function') {
      invalidOption('encryptionKeys', 'made by remoteJwks() or staticKeys()', encryptionKeys);
    }
    if (keyRing !== undefined && typeof keyRing.find !== 'function') {
      invalidOption('keyRing', 'made by createKeyRing()', keyRing);
    }
    checkChoice('unmatched', unmatched, 'pass', 'refuse');
    checkChoice('alreadyEncrypted', alreadyEncrypted, 'keep', 'encrypt');
    if (leakGuard !== undefined && typeof leakGuard !== 'function')
      invalidOption('leakGuard', 'the `leakGuard` of this package', leakGuard);
    if (typeof requireTls !== 'boolean') invalidOption('requireTls', 'true or false', requireTls);
    const verifyWith = checkVerifying(options.verifyWith);
    if (verifyWith) checkAudience('verifyWith', profile);
    const isProved =
      verifyWith !== undefined || profile.perMessageKey || Number(profile.binding?.require.length) > 0;
    const { plaintext = isProved ? 'refuse' : 'accept' } = options;
    checkChoice('plaintext', plaintext, 'refuse', 'accept');
    this.#refuseUnmatched = unmatched === 'refuse';
    this.requireTls = requireTls;
    this.guardsLeaks = leakGuard !== undefined;
    this.#sealing = {
      profile,
      encryptionKeys,
      signWith: checkSigning(options.signWith, profile),
      keepsTokens: alreadyEncrypted === 'keep',
      leakGuard,
      limits: checkLimits(options.limits),
    };
    const answers = checkLimits(options.limits, ANSWER_DEFAULTS);
    this.#opening = {
      profile,
      keyRing,
      verifyWith,
      refusesPlaintext: plaintext === 'refuse',
      limits: answers,
      // An answer is not refused for having to wait: its request was carried out.
      capacity: capacityOf({
        ...answers,
        queue: Number.POSITIVE_INFINITY,
        patience: Number.POSITIVE_INFINITY,
      }),
      report: reporter(options.onEvent),
    };
  }

  covers({ method, path }: Pick<E2eeRequest, 'method' | 'path'>): boolean {
    return this.#policy.match(method, path) !== undefined;
  }

  reads(
    { method, path }: Pick<E2eeRequest, 'method' | 'path'>,
    { status, headers }: Pick<E2eeResponse, 'status' | 'headers'>,
  ): boolean {
    const { message, keyRejection } = this.#sealing.profile;
    const messageType = message.member === undefined ? message.contentType : 'application/json';
    const operation = this.#policy.match(method, path);
    return (
      mediaType(headers) === messageType ||
      (operation !== undefined && (operation.response.treats || status === keyRejection.status))
    );
  }

  async encryptRequest(request: E2eeRequest): Promise<E2eeRequest> {
    refuseWithoutTls(request, this.requireTls);
    const operation = this.#policy.match(request.method, request.path);
    if (!operation) {
      if (this.#refuseUnmatched)
        throw new E2eeError('operation_refused', 'The policy does not cover this operation');
      return request;
    }
    if (!operation.request.treats && !this.#sealing.profile.perMessageKey) return request;
    requireWebCrypto();
    const { request: sealed, ...sent }: SealedRequest = await sealRequest(request, operation, this.#sealing);
    if (sealed === request && this.#sent.has(request)) return request;
    this.#sent.set(request, sent);
    this.#sent.set(sealed, sent);
    return sealed;
  }

  async decryptResponse(request: E2eeRequest, response: E2eeResponse): Promise<E2eeResponse> {
    const { tokens = [], messageKey } = this.#sent.get(request) ?? {};
    const digest = this.#opening.profile.binding && (await digestOf(tokens));
    const operation = this.#policy.match(request.method, request.path);
    return openResponse(response, operation, { ...this.#opening, messageKey, request: digest });
  }

  async recoverFrom(request: E2eeRequest, response: E2eeResponse): Promise<boolean> {
    const operation = this.#policy.match(request.method, request.path);
    if (!operation || !isKeyRejection(response, this.#sealing.profile)) return false;
    const sent = this.#sent.get(request);
    if (!operation.request.treats && !sent?.messageKey) return false;
    const used = sent?.kid ?? (await this.#currentKid());
    if (await this.#hasOtherKey(used)) return true;
    await this.#sealing.encryptionKeys.refresh();
    return this.#hasOtherKey(used);
  }

  async #hasOtherKey(used: string | undefined): Promise<boolean> {
    const now = await this.#currentKid();
    return now !== undefined && now !== used;
  }

  async #currentKid(): Promise<string | undefined> {
    return this.#sealing.encryptionKeys.current().then(
      (key) => key.kid,
      () => undefined,
    );
  }
}
