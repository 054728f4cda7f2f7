// What needs Node's file system
export { type FileKeyStoreOptions, fileKeyStore } from './keys/file-key-store.node.js';
