import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import type { Lock } from '../forge/lock.js';
import { rsaLock } from '../forge/rsa.js';
import { compact, sealParts } from '../forge/token.js';
import { PROFILES, type ProfileName, PUBLIC } from './setup.js';

/** Where a token goes. */
export interface Place {
  readonly operation: string;
  readonly direction: 'request' | 'response';
  readonly path: string;
  readonly request?: string | undefined;
}

const LOCKS: Readonly<Record<keyof typeof PUBLIC, Lock>> = {
  server: rsaLock(keyOf('server'), 'server'),
  client: rsaLock(keyOf('client'), 'client'),
};

/** What the header of a good token says, as text. */
export function goodHeader(profile: ProfileName, place: Place): Record<string, unknown> {
  const { header } = LOCKS[place.direction === 'request' ? 'server' : 'client'];
  return { ...header, enc: 'A256GCM', ...PROFILES[profile].binding?.claims(place) };
}

/** A token whose content and header are authenticated, whatever they are. */
export function sealed(place: Place, header: string | Uint8Array, plaintext: string | Uint8Array): string {
  const cek = randomBytes(32);
  const { encryptedKey } = LOCKS[place.direction === 'request' ? 'server' : 'client'].wrap(cek);
  return compact(sealParts(header, encryptedKey, { cek, plaintext }));
}

function keyOf(owner: keyof typeof PUBLIC): KeyObject {
  return createPublicKey(PUBLIC[owner]);
}
