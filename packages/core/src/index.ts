// Both ends of a call

// Errors
export { E2eeError, type E2eeErrorCode, type E2eeErrorOptions } from './errors.js';
export { createE2eeClient, type E2eeClient, type E2eeClientOptions } from './exchange/client.js';
export type { E2eeEvent, E2eeEventType } from './exchange/events.js';
export { type LeakGuard, leakGuard } from './exchange/leak-guard.js';
export type { Limits } from './exchange/limits.js';
export { bodyText, type E2eeRequest, type E2eeResponse } from './exchange/message.js';
export { encryptedBy, signedBy } from './exchange/open-request.js';
export type { FindRecipient, Recipient } from './exchange/recipient.js';
export {
  type PublicKeySource,
  type RecipientEntry,
  type RecipientJwks,
  type Recipients,
  type RecipientsOptions,
  recipients,
  type TimedKey,
} from './exchange/recipients.js';
export { memoryReplayStore, type ReplayStore } from './exchange/replay.js';
export { type Coverage, createE2eeServer, type E2eeServer } from './exchange/server.js';
export type { E2eeServerOptions } from './exchange/server-options.js';
export type { FindVerificationKeys } from './exchange/signing.js';
export type { RequireTls } from './exchange/tls.js';
// Single tokens
export type { ContentAlgorithm, KeyAlgorithm } from './jwe/algorithms.js';
export { type DecryptedJwe, type DecryptJweOptions, decryptJwe } from './jwe/decrypt.js';
export { type EncryptJweOptions, encryptJwe } from './jwe/encrypt.js';
export type { ProtectedHeader } from './jwe/protected-header.js';
export { allowRsaOaepSha1 } from './jwe/sha1.js';
export type { SigningAlgorithm } from './jws/algorithms.js';
export { importSigningKey, type SigningKey, type SigningKeyOptions } from './jws/signing-key.js';
export {
  type RemoteVerificationOptions,
  remoteVerificationKeys,
  type VerificationKey,
  type VerificationKeys,
  type Verified,
  verificationKeys,
} from './jws/verification-keys.js';
// Keys
export { type EncryptionKeys, staticKeys } from './keys/encryption-keys.js';
export { allowInsecureKeys } from './keys/fetch-jwks.js';
export type { KeyDescription, PublishedJwk } from './keys/held-keys.js';
export { type ImportKeyOptions, importKey } from './keys/import-key.js';
export type { DecryptionKey, EncryptionKey, ImportedKey } from './keys/key.js';
export type { KeyState } from './keys/key-life.js';
export { createKeyRing, type KeyRing } from './keys/key-ring.js';
export type { KeyRingEvent } from './keys/key-ring-events.js';
export type { KeyConventions, KeyRingOptions, KidForm } from './keys/key-ring-options.js';
export { type KeyStore, memoryKeyStore, type StoredKey } from './keys/key-store.js';
export { type KeyUnwrapper, type ServiceKeyOptions, serviceKey } from './keys/key-unwrapper.js';
export {
  type RemoteJwks,
  type RemoteJwksEvent,
  type RemoteJwksOptions,
  type RemoteJwksState,
  type RemoteJwksStatus,
  remoteJwks,
} from './keys/remote-jwks.js';
export {
  importSharedSecret,
  type SharedSecret,
  type SharedSecretAlgorithm,
  type SharedSecretOptions,
} from './keys/shared-secret.js';
// Logs
export type { LogPolicy } from './logging/body-view.js';
export { concealFromInspect } from './logging/conceal-from-inspect.js';
export { type LogOptions, logOptions } from './logging/log-options.js';
export {
  type LoggedRequest,
  type LoggedResponse,
  type LogSerializers,
  logSerializers,
} from './logging/log-serializers.js';
export type { LoggedError } from './logging/logged-error.js';
// Policies and profiles
export { definePolicy } from './policy/define-policy.js';
export type {
  DirectionRules,
  Operation,
  Policy,
  PolicyDocument,
  PolicyRow,
  PolicyRows,
  RequestTreatment,
  ResponseTreatment,
} from './policy/policy.js';
export { banked } from './profiles/banked.js';
export {
  type BindingClaim,
  type BindingOptions,
  bindTokens,
  type TokenBinding,
  type TokenPlace,
} from './profiles/binding.js';
export {
  type MessageKey,
  type PerMessageKey,
  type PerMessageKeyOptions,
  perMessageKey,
} from './profiles/per-message-key.js';
export { powens } from './profiles/powens.js';
export type { JsonTemplate, Profile } from './profiles/profile.js';
export { strict } from './profiles/strict.js';
