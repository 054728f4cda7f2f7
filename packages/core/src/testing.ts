// For the tests of those who use or extend the library
export type { FaultName } from './testing/faults.js';
export { type KeyStoreCase, keyStoreContract } from './testing/key-store-contract.js';
export {
  type E2eeMatchers,
  e2eeMatchers,
  isEncrypted,
  isRedacted,
  type MatcherResult,
  refusalOf,
} from './testing/matchers.js';
export { plaintextIn } from './testing/plaintext.js';
export { publicKeysOf } from './testing/public-keys.js';
export { type ReplayStoreCase, replayStoreContract } from './testing/replay-store-contract.js';
export { type TestClock, type TestClockOptions, testClock } from './testing/test-clock.js';
export {
  createTestProvider,
  type TestCall,
  type TestHandler,
  type TestProvider,
  type TestProviderOptions,
} from './testing/test-provider.js';
