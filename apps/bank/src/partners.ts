import { importKey, type Recipient, staticKeys } from '@e2ee/core';
import { hashSecret, secretMatches } from './credentials.js';

/** What a partner agrees on with the bank before its first call. */
export interface PartnerRegistration {
  readonly clientId: string;
  readonly clientSecret: string;
  /** How it wants sensitive fields answered. */
  readonly response: Recipient['response'];
  /** Its RSA public key in PEM, PKCS#1 or SPKI. Not needed for `redact`. */
  readonly publicKey?: string;
}

/** A registered partner. Its secret is known only as a hash. */
export interface Partner {
  readonly clientId: string;
  readonly secretHash: Buffer;
  readonly recipient: Recipient;
}

/** The partners of the bank, by client id. */
export class PartnerRegistry {
  readonly #partners: ReadonlyMap<string, Partner>;

  private constructor(partners: readonly Partner[]) {
    this.#partners = new Map(partners.map((partner) => [partner.clientId, partner]));
    if (this.#partners.size < partners.length) throw new Error('Two partners have the same client id');
  }

  static async of(registrations: readonly PartnerRegistration[]): Promise<PartnerRegistry> {
    return new PartnerRegistry(await Promise.all(registrations.map(register)));
  }

  find(clientId: string): Partner | undefined {
    return this.#partners.get(clientId);
  }

  /** The partner with these credentials. Takes as long for an unknown id as for a wrong secret. */
  authenticate(clientId: string, clientSecret: string): Partner | undefined {
    const partner = this.#partners.get(clientId);
    const matches = secretMatches(clientSecret, partner?.secretHash);
    return matches ? partner : undefined;
  }
}

async function register(registration: PartnerRegistration): Promise<Partner> {
  const { clientId, clientSecret, response, publicKey } = registration;
  if (publicKey === undefined && response !== 'redact') {
    throw new Error(`Partner ${clientId} chose "${response}" and has to register a public key`);
  }
  const keys = publicKey !== undefined && { encryptionKeys: staticKeys(await importKey(publicKey)) };
  return { clientId, secretHash: hashSecret(clientSecret), recipient: { id: clientId, response, ...keys } };
}
