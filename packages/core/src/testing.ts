// For the tests of those who use or extend the library
export { type KeyStoreCase, keyStoreContract } from './testing/key-store-contract.js';
export { type ReplayStoreCase, replayStoreContract } from './testing/replay-store-contract.js';
