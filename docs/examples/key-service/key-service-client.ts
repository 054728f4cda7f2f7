import type { KeyUnwrapper } from '@e2ee/core';

export interface KeyServiceOptions {
  /** Where the service listens, without a slash at the end. */
  readonly url: string;
  /** What it knows us by. */
  readonly token: string;
}

export interface KeyServiceClient extends KeyUnwrapper {
  /** The public half of a key, as a JWK. */
  publicKey(kid: string): Promise<object>;
}

/** Asks the key service of `service.ts`. Another service differs in the request and in the two lines that read the answer. */
export function keyServiceClient({ url, token }: KeyServiceOptions): KeyServiceClient {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const keyUrl = (kid: string): string => `${url}/keys/${encodeURIComponent(kid)}`;
  return {
    async publicKey(kid) {
      const response = await fetch(keyUrl(kid), { headers, signal: AbortSignal.timeout(5_000) });
      if (!response.ok) throw new Error(`The key service answered with status ${response.status}`);
      return Object(await response.json());
    },

    async unwrap(encryptedKey, { kid, alg, signal }) {
      const value = Buffer.from(encryptedKey).toString('base64url');
      const body = JSON.stringify({ alg, value });
      const response = await fetch(`${keyUrl(kid)}/unwrap`, { method: 'POST', headers, body, signal });
      const { value: cek, code }: { value?: unknown; code?: unknown } = Object(await response.json());
      // Only what is certainly the ciphertext's fault is `undefined`. Whatever else goes wrong is ours: it rejects.
      if (response.status === 400 && code === 'InvalidCiphertext') return undefined;
      if (response.ok && typeof cek === 'string') return Buffer.from(cek, 'base64url');
      throw new Error(`The key service answered with status ${response.status}`);
    },
  };
}
