import { derOf } from './bytes.js';
import { RSA, type RsaPair } from './stored-keys.js';

type Jose = typeof import('jose');
type Pair = ReturnType<Jose['generateKeyPair']>;

/**
 * For `vi.mock('jose', …)`: `generateKeyPair` hands out the stored RSA pairs in turn. RSA generation is nearly all the time
 * that tests of key rings take. What else is asked for is generated.
 */
export function reusingKeyPairs(jose: Jose): Jose {
  let calls = 0;
  const generateKeyPair: Jose['generateKeyPair'] = async (alg, options) => {
    const pair = RSA[calls % RSA.length];
    if (alg !== 'RSA-OAEP-256' || options?.modulusLength !== 2048 || !pair) {
      return jose.generateKeyPair(alg, options);
    }
    calls += 1;
    await new Promise((resolve) => setTimeout(resolve, 2)); // generating is never done at once
    return cryptoKeysOf(pair);
  };
  return { ...jose, generateKeyPair };
}

async function cryptoKeysOf({ spki, pkcs8 }: RsaPair): Pair {
  const oaep = { name: 'RSA-OAEP', hash: 'SHA-256' };
  return {
    publicKey: await crypto.subtle.importKey('spki', derOf(spki), oaep, true, ['encrypt', 'wrapKey']),
    privateKey: await crypto.subtle.importKey('pkcs8', derOf(pkcs8), oaep, true, ['decrypt', 'unwrapKey']),
  };
}
