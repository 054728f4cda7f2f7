import { checkChoice, E2eeError, invalidOption } from '../errors.js';
import { selectFields } from '../fields/select.js';
import { looksLikeCompactJwe } from '../jwe/compact.js';
import { requireWebCrypto } from '../jwe/web-crypto.js';
import type { SigningKey } from '../jws/signing-key.js';
import type { VerificationKeys } from '../jws/verification-keys.js';
import type { EncryptionKeys } from '../keys/encryption-keys.js';
import type { EncryptionKey } from '../keys/key.js';
import type { KeyRing } from '../keys/key-ring.js';
import { definePolicy } from '../policy/define-policy.js';
import type { Operation, Policy, PolicyDocument } from '../policy/policy.js';
import { checkProfile, type Profile } from '../profiles/profile.js';
import { digestOf } from './binding.js';
import {
  checkRequiredFields,
  refuseConflict,
  refuseDepth,
  refuseLongToken,
  refuseManyElements,
  refuseManyTokens,
  refuseMismatch,
} from './body-rules.js';
import { type Report, reporter } from './events.js';
import { isAbsent, requireJsonType, serialisedJson } from './json-body.js';
import type { LeakGuard } from './leak-guard.js';
import { ANSWER_DEFAULTS, checkLimits, type Limits } from './limits.js';
import { type E2eeRequest, type E2eeResponse, headersForBody } from './message.js';
import { openResponse } from './open-response.js';
import { isKeyRejection } from './profile-answers.js';
import { sealMessage } from './seal-message.js';
import { type Sealer, sealSlots } from './seal-tokens.js';
import { checkAudience, checkSigning, checkVerifying } from './signing.js';
import { refuseWithoutTls } from './tls.js';
import { isMessage, isSealedBy, messageToken } from './tokens.js';

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
   * signed or bound, else `accept`.
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
  readonly leakGuard?: LeakGuard;
  readonly limits?: Partial<Limits>;
  /** Hears what an operator should know. Default: a line on the console for the worrying ones. */
  readonly onEvent?: Report;
}

/** The client end of a call: the policy applied to what is sent and what comes back. */
export interface E2eeClient {
  /** Whether requests must go by TLS: then an adapter also follows no redirection that leaves it. */
  readonly requireTls: boolean;
  /** Whether the policy says anything of this operation. */
  covers(request: Pick<E2eeRequest, 'method' | 'path'>): boolean;
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
interface Sent {
  /** The key that it was encrypted to, if we did that. */
  readonly kid: string | undefined;
  /** Of its tokens: what its response is bound to. */
  readonly digest: string | undefined;
}

class Client implements E2eeClient {
  readonly requireTls: boolean;
  readonly #profile: Profile;
  readonly #policy: Policy;
  readonly #encryptionKeys: EncryptionKeys;
  readonly #keyRing: KeyRing | undefined;
  readonly #signWith: SigningKey | undefined;
  readonly #verifyWith: VerificationKeys | undefined;
  readonly #refuseUnmatched: boolean;
  readonly #keepsTokens: boolean;
  readonly #leakGuard: LeakGuard | undefined;
  readonly #refusesPlaintext: boolean;
  /** For what is sent, which the other end measures. */
  readonly #limits: Limits;
  /** For what comes back. */
  readonly #answerLimits: Limits;
  readonly #report: Report;
  /** What became of a request, under the plain and the encrypted form of it. */
  readonly #sent = new WeakMap<E2eeRequest, Sent>();

  constructor(options: E2eeClientOptions) {
    const { encryptionKeys, alreadyEncrypted = 'keep', unmatched = 'pass' } = options;
    const { requireTls = false, leakGuard } = options;
    this.#profile = checkProfile(options.profile);
    this.#policy = definePolicy(options.policy ?? this.#profile.policy);
    if (typeof encryptionKeys?.current !== 'function') {
      invalidOption('encryptionKeys', 'made by remoteJwks() or staticKeys()', encryptionKeys);
    }
    if (options.keyRing !== undefined && typeof options.keyRing.find !== 'function') {
      invalidOption('keyRing', 'made by createKeyRing()', options.keyRing);
    }
    checkChoice('unmatched', unmatched, 'pass', 'refuse');
    this.#encryptionKeys = encryptionKeys;
    this.#keyRing = options.keyRing;
    this.#signWith = checkSigning(options.signWith, this.#profile);
    this.#verifyWith = checkVerifying(options.verifyWith);
    if (this.#verifyWith) checkAudience('verifyWith', this.#profile);
    this.#refuseUnmatched = unmatched === 'refuse';
    checkChoice('alreadyEncrypted', alreadyEncrypted, 'keep', 'encrypt');
    this.#keepsTokens = alreadyEncrypted === 'keep';
    if (leakGuard !== undefined && typeof leakGuard !== 'function')
      invalidOption('leakGuard', 'the `leakGuard` of this package', leakGuard);
    this.#leakGuard = leakGuard;
    const isProved = this.#verifyWith !== undefined || Number(this.#profile.binding?.require.length) > 0;
    const { plaintext = isProved ? 'refuse' : 'accept' } = options;
    checkChoice('plaintext', plaintext, 'refuse', 'accept');
    this.#refusesPlaintext = plaintext === 'refuse';
    if (typeof requireTls !== 'boolean') invalidOption('requireTls', 'true or false', requireTls);
    this.requireTls = requireTls;
    this.#limits = checkLimits(options.limits);
    this.#answerLimits = checkLimits(options.limits, ANSWER_DEFAULTS);
    this.#report = reporter(options.onEvent);
  }

  covers({ method, path }: Pick<E2eeRequest, 'method' | 'path'>): boolean {
    return this.#policy.match(method, path) !== undefined;
  }

  async encryptRequest(request: E2eeRequest): Promise<E2eeRequest> {
    refuseWithoutTls(request, this.requireTls);
    const operation = this.#policy.match(request.method, request.path);
    if (!operation) {
      if (this.#refuseUnmatched)
        throw new E2eeError('operation_refused', 'The policy does not cover this operation');
      return request;
    }
    if (!operation.request.treats) return request;
    requireWebCrypto();
    if (isAbsent(request.body)) {
      checkRequiredFields(operation.request.required, []);
      return request;
    }
    return operation.request.whole
      ? this.#sealWhole(request, operation)
      : this.#sealFields(request, operation);
  }

  async decryptResponse(request: E2eeRequest, response: E2eeResponse): Promise<E2eeResponse> {
    return openResponse(response, this.#policy.match(request.method, request.path), {
      profile: this.#profile,
      limits: this.#answerLimits,
      keyRing: this.#keyRing,
      verifyWith: this.#verifyWith,
      refusesPlaintext: this.#refusesPlaintext,
      report: this.#report,
      request: this.#sent.get(request)?.digest,
    });
  }

  async recoverFrom(request: E2eeRequest, response: E2eeResponse): Promise<boolean> {
    const operation = this.#policy.match(request.method, request.path);
    if (!operation?.request.treats || !isKeyRejection(response, this.#profile)) return false;
    const used = this.#sent.get(request)?.kid ?? (await this.#currentKid());
    if (await this.#hasOtherKey(used)) return true;
    await this.#encryptionKeys.refresh();
    return this.#hasOtherKey(used);
  }

  async #sealWhole(request: E2eeRequest, operation: Operation): Promise<E2eeRequest> {
    if (this.#keepsTokens && isMessage(request.body, this.#profile))
      return this.#remembered(request, request, undefined, [messageToken(request.body, this.#profile)]);
    requireJsonType(request.headers);
    const body = serialisedJson(request.body);
    refuseDepth(body, this.#limits);
    const key = await this.#encryptionKeys.current();
    const plain = { ...request, body };
    const sealed = await sealMessage(plain, this.#sealer(key, operation), this.#limits.messageLength);
    return this.#remembered(request, sealed, key.kid, [messageToken(sealed.body, this.#profile)]);
  }

  async #sealFields(request: E2eeRequest, operation: Operation): Promise<E2eeRequest> {
    requireJsonType(request.headers);
    const body = serialisedJson(request.body);
    refuseDepth(body, this.#limits);
    const selection = selectFields(body, operation.request.fields, {
      prefix: this.#profile.prefix.request,
      isToken: this.#keepsTokens ? isSealedBy(this.#profile) : () => false,
    });
    refuseMismatch(selection);
    refuseManyElements(selection, this.#limits);
    const { slots } = selection;
    refuseConflict(slots);
    for (const { rule, wire } of slots) {
      if (wire && !(this.#keepsTokens && looksLikeCompactJwe(wire.value))) {
        throw new E2eeError(
          'field_invalid',
          `The encrypted form of field \`${rule.path}\` is not ${this.#keepsTokens ? 'a token' : 'taken'}`,
          {
            path: rule.path,
          },
        );
      }
    }
    checkRequiredFields(operation.request.required, slots);
    const before = slots.flatMap(({ wire }) => (wire ? [wire.value] : []));
    if (!slots.some((slot) => slot.plain)) return this.#remembered(request, request, undefined, before);
    refuseManyTokens(slots, this.#limits);
    const key = await this.#encryptionKeys.current();
    const made = await sealSlots(slots, this.#sealer(key, operation));
    for (const { rule, token } of made) refuseLongToken(token, this.#limits.tokenLength, rule.path);
    const sealed = { ...request, headers: headersForBody(request.headers), body: selection.result() };
    this.#leakGuard?.(sealed, slots, body);
    return this.#remembered(request, sealed, key.kid, [...before, ...made.map(({ token }) => token)]);
  }

  #sealer(key: EncryptionKey, { name }: Operation): Sealer {
    const where = { operation: name, direction: 'request' } as const;
    return { key, profile: this.#profile, where, signWith: this.#signWith };
  }

  async #remembered(
    plain: E2eeRequest,
    sealed: E2eeRequest,
    kid: string | undefined,
    tokens: readonly unknown[],
  ): Promise<E2eeRequest> {
    const sent = { kid, digest: await digestOf(tokens) };
    this.#sent.set(plain, sent);
    this.#sent.set(sealed, sent);
    return sealed;
  }

  async #hasOtherKey(used: string | undefined): Promise<boolean> {
    const now = await this.#currentKid();
    return now !== undefined && now !== used;
  }

  async #currentKid(): Promise<string | undefined> {
    return this.#encryptionKeys.current().then(
      (key) => key.kid,
      () => undefined,
    );
  }
}
