import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decryptJwe, encryptJwe, importKey } from '@e2ee/core';
import { CompactEncrypt, compactDecrypt, importJWK, type JWK } from 'jose';
import nodeJose from 'node-jose';
import type { Pair } from './keys.js';
import { OURS } from './names.js';
import { rawNode } from './raw.js';

/** One library, for one key pair. The job is the same for all: a JSON value becomes a compact JWE, and a value again. */
export interface Peer {
  readonly name: string;
  encrypt(value: unknown): string | Promise<string>;
  decrypt(token: string): unknown;
  /** Whether its tokens are such that others can open them. */
  readonly foreignToOthers?: boolean;
}

/** Makes a library ready for a pair; nothing where it does not do that kind of key. */
type Prepare = (pair: Pair) => Promise<Peer | undefined>;

const require = createRequire(import.meta.url);
const utf8 = new TextEncoder();
const text = new TextDecoder();

const ours: Prepare = async ({ publicJwk, privateJwk, alg }) => {
  const [publicKey, privateKey] = [await importKey(publicJwk), await importKey(privateJwk)];
  return {
    name: OURS,
    encrypt: (value) => encryptJwe(utf8.encode(JSON.stringify(value)), publicKey),
    decrypt: async (token) => {
      const { plaintext } = await decryptJwe(token, privateKey, { algs: [alg], tokenLength: 32_000_000 });
      return JSON.parse(text.decode(plaintext));
    },
  };
};

const jose: Prepare = async ({ publicJwk, privateJwk, alg, kid }) => {
  const [publicKey, privateKey] = [await importJWK(publicJwk, alg), await importJWK(privateJwk, alg)];
  return {
    name: 'jose',
    encrypt: (value) =>
      new CompactEncrypt(utf8.encode(JSON.stringify(value)))
        .setProtectedHeader({ alg, enc: 'A256GCM', kid })
        .encrypt(publicKey),
    decrypt: async (token) => JSON.parse(text.decode((await compactDecrypt(token, privateKey)).plaintext)),
  };
};

const nodeJosePeer: Prepare = async ({ publicJwk, privateJwk, alg, name }) => {
  if (name === 'X25519') return undefined;
  const [publicKey, privateKey] = [
    await nodeJose.JWK.asKey(publicJwk as object),
    await nodeJose.JWK.asKey(privateJwk as object),
  ];
  return {
    name: 'node-jose',
    encrypt: (value) =>
      nodeJose.JWE.createEncrypt({ format: 'compact', contentAlg: 'A256GCM', fields: { alg } }, publicKey)
        .update(Buffer.from(JSON.stringify(value)))
        .final(),
    decrypt: async (token) =>
      JSON.parse((await nodeJose.JWE.createDecrypt(privateKey).decrypt(token)).plaintext.toString('utf8')),
  };
};

/** The part of js-jose that is used here. Its own types need the DOM. */
interface JsJose {
  readonly WebCryptographer: new () => {
    setKeyEncryptionAlgorithm(name: string): void;
    setContentEncryptionAlgorithm(name: string): void;
  };
  readonly Utils: Record<
    'importRsaPublicKey' | 'importRsaPrivateKey',
    (jwk: JWK, alg: string) => Promise<unknown>
  >;
  readonly JoseJWE: {
    readonly Encrypter: new (
      cryptographer: unknown,
      key: Promise<unknown>,
    ) => { addHeader(name: string, value: string): void; encrypt(plaintext: string): Promise<string> };
    readonly Decrypter: new (
      cryptographer: unknown,
      key: Promise<unknown>,
    ) => { decrypt(token: string): Promise<string> };
  };
}

const jsJose: Prepare = async ({ publicJwk, privateJwk, alg, kid }) => {
  if (alg !== 'RSA-OAEP-256') return undefined;
  const library = loadJsJose();
  const publicKey = library.Utils.importRsaPublicKey({ ...publicJwk }, alg);
  const privateKey = library.Utils.importRsaPrivateKey({ ...privateJwk }, alg);
  const cryptographer = new library.WebCryptographer();
  cryptographer.setKeyEncryptionAlgorithm(alg);
  cryptographer.setContentEncryptionAlgorithm('A256GCM');
  return {
    name: 'js-jose',
    encrypt: (value) => {
      const encrypter = new library.JoseJWE.Encrypter(cryptographer, publicKey);
      encrypter.addHeader('kid', kid);
      return encrypter.encrypt(JSON.stringify(value));
    },
    decrypt: async (token) =>
      JSON.parse(await new library.JoseJWE.Decrypter(cryptographer, privateKey).decrypt(token)),
  };
};

/** It looks for a browser's `window` while it is loaded, and only then. */
function loadJsJose(): JsJose {
  const global = globalThis as { window?: unknown }; // Node has none
  global.window = globalThis;
  try {
    return require('jose-jwe-jws/dist/jose.min.js').Jose;
  } finally {
    delete global.window;
  }
}

interface Mastercard {
  readonly JweEncryption: new (
    configuration: object,
  ) => {
    readonly crypto: {
      encryptData(options: { data: unknown }): { token: string };
      decryptData(token: string): unknown;
    };
  };
}

const mastercard: Prepare = async ({ publicJwk, privateJwk, alg }) => {
  if (alg !== 'RSA-OAEP-256') return undefined;
  const library: Mastercard = require('mastercard-client-encryption');
  const folder = mkdtempSync(join(tmpdir(), 'e2ee-bench-')); // it reads keys from files, when it is made
  try {
    const { certificate, privateKey } = await certificateOf(publicJwk, privateJwk);
    const [certificateFile, keyFile] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
    writeFileSync(certificateFile, certificate);
    writeFileSync(keyFile, privateKey, { mode: 0o600 });
    const { crypto } = new library.JweEncryption({
      paths: [{ path: '/', toEncrypt: [], toDecrypt: [] }],
      encryptedValueFieldName: 'token',
      encryptionCertificate: certificateFile,
      privateKey: keyFile,
    });
    return {
      name: 'mastercard',
      encrypt: (value) => crypto.encryptData({ data: value }).token,
      decrypt: (token) => crypto.decryptData(token),
      foreignToOthers: true, // an IV of 16 bytes and base64 with `/`, where RFC 7518 §5.3 and RFC 7515 §2 have 12 and `_`
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** The part of node-forge, which mastercard brings, that signs a certificate: Node cannot. */
interface Forge {
  readonly pki: {
    privateKeyFromPem(pem: string): unknown;
    publicKeyFromPem(pem: string): unknown;
    createCertificate(): {
      publicKey: unknown;
      serialNumber: string;
      validity: { notBefore: Date; notAfter: Date };
      setSubject(names: readonly object[]): void;
      setIssuer(names: readonly object[]): void;
      sign(key: unknown, digest: unknown): void;
    };
    certificateToPem(certificate: unknown): string;
  };
  readonly md: { readonly sha256: { create(): unknown } };
}

async function certificateOf(
  publicJwk: JWK,
  privateJwk: JWK,
): Promise<{ certificate: string; privateKey: string }> {
  const { pki, md }: Forge = createRequire(require.resolve('mastercard-client-encryption'))('node-forge');
  const { createPrivateKey, createPublicKey } = await import('node:crypto');
  const privateKey = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' }).export({
    type: 'pkcs8',
    format: 'pem',
  });
  const publicKey = createPublicKey({ key: { ...publicJwk }, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  });
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(String(publicKey));
  certificate.serialNumber = '01';
  certificate.validity = { notBefore: new Date(), notAfter: new Date(Date.now() + 86_400_000) };
  certificate.setSubject([{ name: 'commonName', value: 'bench' }]);
  certificate.setIssuer([{ name: 'commonName', value: 'bench' }]);
  certificate.sign(pki.privateKeyFromPem(String(privateKey)), md.sha256.create());
  return { certificate: pki.certificateToPem(certificate), privateKey: String(privateKey) };
}

const LIBRARIES: readonly Prepare[] = [ours, rawNode, jose, nodeJosePeer, jsJose, mastercard];

/** Every library that does this kind of key, after it has shown that it does the job. */
export async function peersFor(pair: Pair): Promise<Peer[]> {
  const prepared = await Promise.all(LIBRARIES.map((prepare) => prepare(pair)));
  const peers = prepared.filter((peer) => peer !== undefined);
  await Promise.all(peers.map((peer) => check(peer, pair)));
  return peers;
}

/** What it encrypts, jose must open, and what jose encrypts, it must open. */
async function check(peer: Peer, pair: Pair): Promise<void> {
  const reference = (await jose(pair)) as Peer; // it does all of these
  const value = { name: 'Zoë', account_number: '007' };
  const reader = peer.foreignToOthers ? peer : reference;
  const results = [
    await reader.decrypt(await peer.encrypt(value)),
    await peer.decrypt(await reference.encrypt(value)),
  ];
  for (const result of results)
    if (JSON.stringify(result) !== JSON.stringify(value)) throw new Error(`${peer.name} does another job`);
}
