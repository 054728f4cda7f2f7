// What needs Node's file system

export { fileRecipients } from './exchange/file-recipients.node.js';
export { type FileKeyStoreOptions, fileKeyStore } from './keys/file-key-store.node.js';
