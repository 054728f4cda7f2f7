import { labelOf } from './payloads.js';

/* The names that figures go by. Goals and charts find them so. */

/** What is compared with one another. */
export const GROUPS = {
  encrypt: (inFlight: number) => `encrypt, ${inFlight} at once`,
  decrypt: (inFlight: number) => `decrypt, ${inFlight} at once`,
  encryptFields: (count: number) => `encrypt a message of ${count} fields`,
  decryptFields: (count: number) => `decrypt a message of ${count} fields`,
  encryptPayload: (bytes: number) => `encrypt ${labelOf(bytes)}`,
  decryptPayload: (bytes: number) => `decrypt ${labelOf(bytes)}`,
  encryptKey: (key: string) => `encrypt to ${key}`,
  decryptKey: (key: string) => `decrypt with ${key}`,
  encryptMessage: 'encrypt a message of 1 MB',
  decryptMessage: 'decrypt a message of 1 MB',
  servers: 'servers',
  uncovered: (framework: string) => `uncovered routes, ${framework}`,
  capacity: (key: string) => `requests to a server end with ${key}`,
  linear: 'how time grows',
  memory: 'memory',
  match: 'match an operation among 10,000',
  client: 'the event loop while a client encrypts 64 fields',
} as const;

export const OURS = '@e2ee/core';
export const PER_MESSAGE_KEY = '@e2ee/core, perMessageKey';
export const RAW = 'node:crypto, synchronous';
export const LIMIT_ASYNC = 'private key alone, WebCrypto';
export const LIMIT_SYNC = 'private key alone, synchronous';
/** Of a message: what nobody can do without. */
export const FLOOR = 'AES-GCM, base64url and JSON alone';
/** The server without a framework and without this library. */
export const BARE = 'bare node:http';
/** The same server a second time: what differs is noise. */
export const CONTROL = 'no middleware, once more';
export const EARLY = 'after a fifth of the requests';
export const LATE = 'after all requests';
export const IDLE = 'nothing (what this machine does by itself)';

export function serverName(framework: string, scenario: string): string {
  return `${framework}, ${scenario}`;
}
