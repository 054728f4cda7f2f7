// What needs Node's file system
export { fileKeyStore } from './keys/file-key-store.node.js';
