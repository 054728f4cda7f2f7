import { resolve } from 'node:path';
import { invalidOption } from '../errors.js';
import {
  neverAtRest,
  prepareDirectory,
  readNewest,
  tidy,
  type Version,
  writeVersion,
} from './key-files.node.js';
import { checkPollInterval, type KeyStore, queue, type StoredKey } from './key-store.js';
import { isPassphrase, MAX_PASSPHRASE_BYTES, openPem, sealPem } from './sealed-pem.node.js';

const MAX_ATTEMPTS = 100;

export interface FileKeyStoreOptions {
  /** Encrypts the private keys in the files (PKCS#8 with PBES2). Default: they are not encrypted. */
  readonly passphrase?: string;
  /** How often a ring looks for what other processes did, in milliseconds. Default 500. */
  readonly pollInterval?: number;
}

/**
 * Keeps keys in a directory, which is made when it is missing. Files are readable by their owner only (0600), written
 * whole or not at all, and safe to share between processes of one machine.
 *
 * The store's methods reject with `key_invalid` for a damaged file, one that others may read, a symbolic link, or a
 * wrong passphrase. Throws `option_invalid`.
 *
 * @example
 * const keyRing = await createKeyRing({ store: fileKeyStore('./keys', { passphrase: process.env.KEYS_PASSPHRASE }) })
 */
export function fileKeyStore(directory: string, options: FileKeyStoreOptions = {}): KeyStore {
  const { passphrase, pollInterval = 500 } = options;
  if (typeof directory !== 'string' || directory === '')
    invalidOption('directory', 'the path of a directory', directory);
  if (passphrase !== undefined && !isPassphrase(passphrase))
    invalidOption('passphrase', `a text of 1 to ${MAX_PASSPHRASE_BYTES} bytes`, passphrase);
  return new FileKeyStore(directory, passphrase, checkPollInterval('pollInterval', pollInterval));
}

type Change = Parameters<KeyStore['update']>[0];

/** A version of the ring, its keys not encrypted. */
type Opened = Pick<Version, 'number' | 'keys'>;

class FileKeyStore implements KeyStore {
  readonly pollInterval: number;
  readonly #directory: string;
  readonly #passphrase: string | undefined;
  readonly #inTurn = queue();
  #newest: Opened = { number: 0, keys: [] };

  constructor(directory: string, passphrase: string | undefined, pollInterval: number) {
    this.#directory = resolve(directory); // wherever the process goes later
    this.#passphrase = passphrase;
    this.pollInterval = pollInterval;
  }

  async read(): Promise<readonly StoredKey[]> {
    return (await this.#readNewest()).keys;
  }

  update(change: Change): ReturnType<KeyStore['update']> {
    return this.#inTurn(() => this.#update(change));
  }

  async #update(change: Change): ReturnType<KeyStore['update']> {
    await prepareDirectory(this.#directory);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const newest = await this.#readNewest();
      const keys = await change(newest.keys);
      if (keys === newest.keys) {
        await tidy(this.#directory, newest.number); // what a killed process left may hold key bytes
        return keys;
      }
      const next = { number: newest.number + 1, keys };
      if (!(await writeVersion(this.#directory, { ...next, keys: keys.map((key) => this.#seal(key)) })))
        continue;
      this.#newest = next;
      return keys;
    }
    return neverAtRest(this.#directory);
  }

  async #readNewest(): Promise<Opened> {
    const newest = await readNewest(this.#directory, this.#newest.number);
    if (newest) {
      const { number, path, keys } = newest;
      this.#newest = { number, keys: keys.map((key) => this.#open(key, path)) };
    }
    return this.#newest;
  }

  #seal({ pkcs8, ...key }: StoredKey): StoredKey {
    if (pkcs8 === undefined) return key;
    return { ...key, pkcs8: this.#passphrase === undefined ? pkcs8 : sealPem(pkcs8, this.#passphrase) };
  }

  #open({ pkcs8, ...key }: StoredKey, path: string): StoredKey {
    return pkcs8 === undefined ? key : { ...key, pkcs8: openPem(pkcs8, this.#passphrase, path) };
  }
}
