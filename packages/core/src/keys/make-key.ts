import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import type { KeyRingSettings, KidForm } from './key-ring-options.js';
import type { StoredKey } from './key-store.js';
import { thumbprint } from './thumbprint.js';

/** A private key that has no place in a ring yet. */
export interface MadeKey extends Required<Pick<StoredKey, 'alg' | 'pkcs8'>> {
  readonly thumbprint: string;
}

/** Makes a key, off the event loop (but in Bun 1.4, whose WebCrypto blocks it). */
export async function makeKey({
  alg,
  crv,
  modulusLength,
}: Pick<KeyRingSettings, 'alg' | 'crv' | 'modulusLength'>): Promise<MadeKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { crv, modulusLength, extractable: true });
  return {
    alg,
    pkcs8: await exportPKCS8(privateKey),
    thumbprint: await thumbprint(await exportJWK(publicKey)),
  };
}

/** Where a key stands in time, from `createdAt` on, in seconds. */
export interface KeyPlan {
  readonly form: KidForm;
  /** Ids that are taken: it gets another one. */
  readonly taken: Iterable<string>;
  readonly createdAt: number;
  readonly lead: number;
  readonly lifetime: number;
}

/** Gives a made key its id and its times. They count from when it is written, not from when it was made. */
export function planned({ alg, pkcs8, thumbprint }: MadeKey, plan: KeyPlan): StoredKey {
  const { form, taken, createdAt, lead, lifetime } = plan;
  const kid = form === 'thumbprint' ? thumbprint : freeTime(Math.floor(createdAt), new Set(taken));
  const publishAt = createdAt + lead;
  return { kid, alg, pkcs8, createdAt, publishAt, expiresAt: publishAt + lifetime };
}

function freeTime(time: number, taken: ReadonlySet<string>): string {
  return taken.has(String(time)) ? freeTime(time + 1, taken) : String(time);
}
