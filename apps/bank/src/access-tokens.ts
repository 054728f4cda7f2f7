import { randomUUID } from 'node:crypto';
import { errors, generateKeyPair, jwtVerify, SignJWT } from 'jose';

export type TokenAlgorithm = 'ES256' | 'RS256';

export interface AccessTokenOptions {
  /** Default `ES256`. */
  readonly algorithm?: TokenAlgorithm;
  /** How long a token is good, in seconds. Default 900. */
  readonly lifetime?: number;
}

/** Issues and verifies the access tokens of the API (in the manner of RFC 9068). */
export interface AccessTokens {
  /** Seconds that a token is good for. */
  readonly lifetime: number;
  issue(clientId: string): Promise<string>;
  /** The client that a token was issued to, or nothing when it is not one of ours or no longer good. */
  verify(token: string): Promise<string | undefined>;
}

const ISSUER = 'https://bank.example';
const AUDIENCE = 'https://bank.example/v2';
const TYPE = 'at+jwt';

/** The signing key lives as long as the process: a restart ends all tokens. */
export async function createAccessTokens(options: AccessTokenOptions = {}): Promise<AccessTokens> {
  const { algorithm = 'ES256', lifetime = 900 } = options;
  const { publicKey, privateKey } = await generateKeyPair(algorithm);
  return {
    lifetime,
    async issue(clientId: string): Promise<string> {
      return new SignJWT()
        .setProtectedHeader({ alg: algorithm, typ: TYPE })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(clientId)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + lifetime)
        .sign(privateKey);
    },
    async verify(token: string): Promise<string | undefined> {
      const rules = { algorithms: [algorithm], issuer: ISSUER, audience: AUDIENCE, typ: TYPE };
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          ...rules,
          requiredClaims: ['sub', 'exp'],
        });
        return payload.sub;
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}
