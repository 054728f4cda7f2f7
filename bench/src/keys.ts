import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';

/** A key pair that every contestant gets. */
export interface Pair {
  readonly name: string;
  readonly alg: 'RSA-OAEP-256' | 'ECDH-ES';
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
}

type Kind = Pick<Pair, 'alg'> & {
  generate(): { privateKey: { export(options: { format: 'jwk' }): object } };
};

const rsa = (modulusLength: number): Kind => ({
  alg: 'RSA-OAEP-256',
  generate: () => generateKeyPairSync('rsa', { modulusLength }),
});

const KINDS: Readonly<Record<string, Kind>> = {
  'RSA-2048': rsa(2048),
  'RSA-3072': rsa(3072),
  'RSA-4096': rsa(4096),
  'P-256': { alg: 'ECDH-ES', generate: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }) },
  X25519: { alg: 'ECDH-ES', generate: () => generateKeyPairSync('x25519') },
};

const SECRET = ['d', 'p', 'q', 'dp', 'dq', 'qi'];

/** Makes a pair of one of the kinds in the table. */
export async function newPair(name: string): Promise<Pair> {
  const kind = KINDS[name];
  if (!kind) throw new Error(`No such kind of key: ${name}`);
  const jwk: JWK = kind.generate().privateKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(jwk);
  const privateJwk = { ...jwk, kid, alg: kind.alg };
  const entries = Object.entries(privateJwk).filter(([member]) => !SECRET.includes(member));
  return { name, alg: kind.alg, kid, publicJwk: Object.fromEntries(entries) as JWK, privateJwk };
}
