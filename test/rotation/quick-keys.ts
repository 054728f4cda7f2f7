import { generatePrime } from 'node:crypto';

/** The members of a private RSA key (RFC 7518 §6.3.2). */
export type RsaJwk = { readonly kty: 'RSA' } & Readonly<
  Record<'n' | 'e' | 'd' | 'p' | 'q' | 'dp' | 'dq' | 'qi', string>
>;

const EXPONENT = 65_537n;

/**
 * Different 2048-bit RSA keys at the price of a few primes: each pair of primes is a key. They are worth nothing, as two
 * of them may share a prime, but a process that has them does not spend its short life making its own.
 */
export async function quickKeys(count: number): Promise<readonly RsaJwk[]> {
  const primes: bigint[] = [];
  const keys: RsaJwk[] = [];
  while (keys.length < count) {
    const q = await prime(1024);
    if (q % EXPONENT === 1n || primes.includes(q)) continue;
    keys.push(...primes.map((p) => keyOf(p, q)));
    primes.push(q);
  }
  return keys.slice(0, count);
}

function prime(bits: number): Promise<bigint> {
  return new Promise((resolve, reject) => {
    generatePrime(bits, { bigint: true }, (error, found) => (error ? reject(error) : resolve(found)));
  });
}

function keyOf(p: bigint, q: bigint): RsaJwk {
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  return {
    kty: 'RSA',
    n: encoded(p * q),
    e: encoded(EXPONENT),
    d: encoded(d),
    p: encoded(p),
    q: encoded(q),
    dp: encoded(d % (p - 1n)),
    dq: encoded(d % (q - 1n)),
    qi: encoded(inverse(q, p)),
  };
}

/** By Euclid's extended algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value, modulus, 1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b, x, y] = [b, a - quotient * b, y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}

function encoded(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}
