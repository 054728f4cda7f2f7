import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { E2eeError, invalidOption } from '../errors.js';
import { type KeyStore, queue, type StoredKey } from './key-store.js';
import { openPem, sealPem } from './sealed-pem.node.js';

/*
 * The directory holds one file per version of the ring. A writer creates the next version with link(2), which is atomic
 * and fails when another process was faster: then it reads again and starts over. So there is no lock that a killed
 * process could leave behind, and a reader never sees half a file. Earlier versions are emptied but keep their names for
 * a day, so that a writer who was held up does not find a number free that was taken.
 */
const VERSION_FILE = /^keyring-(\d+)\.json$/;
const DRAFT_FILE = /^\.keyring-.*\.draft$/;
const DRAFT_LIFETIME_MS = 60_000;
const NAME_LIFETIME_MS = 86_400_000;
const MAX_ATTEMPTS = 100;
const MAX_POLL_INTERVAL = 3_600_000;
const OTHERS_MAY_READ_OR_WRITE = 0o077;
const OTHERS_MAY_WRITE = 0o022;
const DAMAGED = 'is damaged (truncated?); restore it from a backup';
const HAS_MODES = process.platform !== 'win32';

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
  if (passphrase !== undefined && (typeof passphrase !== 'string' || passphrase === '')) {
    invalidOption('passphrase', 'a text that is not empty', passphrase);
  }
  if (!Number.isFinite(pollInterval) || pollInterval < 1 || pollInterval > MAX_POLL_INTERVAL)
    invalidOption('pollInterval', 'milliseconds, from 1 to an hour', pollInterval);
  return new FileKeyStore(directory, passphrase, pollInterval);
}

type Change = Parameters<KeyStore['update']>[0];

interface Version {
  readonly number: number;
  readonly keys: readonly StoredKey[];
}

class FileKeyStore implements KeyStore {
  readonly pollInterval: number;
  readonly #directory: string;
  readonly #passphrase: string | undefined;
  readonly #inTurn = queue();
  #newest: Version = { number: 0, keys: [] };

  constructor(directory: string, passphrase: string | undefined, pollInterval: number) {
    this.#directory = directory;
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
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await checkDirectory(this.#directory);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const current = await this.#readNewest();
      const keys = await change(current.keys);
      if (keys === current.keys) {
        await tidy(this.#directory, current.number); // what a killed process left may hold key bytes
        return keys;
      }
      const next = { number: current.number + 1, keys };
      if (!(await writeVersion(this.#directory, { ...next, keys: keys.map((key) => this.#seal(key)) })))
        continue;
      this.#newest = next;
      return keys;
    }
    return neverAtRest(this.#directory);
  }

  /** Reads only when there is a version that it does not know yet. */
  async #readNewest(): Promise<Version> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const number = await this.#newestNumber();
      if (number === 0) return { number, keys: [] };
      if (number === this.#newest.number) return this.#newest;
      const path = join(this.#directory, `keyring-${number}.json`);
      try {
        const keys = await readKeys(path);
        if (!keys) {
          if (number === (await this.#newestNumber())) refuse(path, DAMAGED);
          continue;
        }
        this.#newest = { number, keys: keys.map((key) => this.#open(key, path)) };
        return this.#newest;
      } catch (error) {
        if (!isCode(error, 'ENOENT')) throw error; // tidied away between listing and reading: a newer one is there
      }
    }
    return neverAtRest(this.#directory);
  }

  async #newestNumber(): Promise<number> {
    return Math.max(0, ...(await versionNumbers(this.#directory)));
  }

  #seal({ pkcs8, ...key }: StoredKey): StoredKey {
    if (pkcs8 === undefined) return key;
    return { ...key, pkcs8: this.#passphrase === undefined ? pkcs8 : sealPem(pkcs8, this.#passphrase) };
  }

  #open({ pkcs8, ...key }: StoredKey, path: string): StoredKey {
    return pkcs8 === undefined ? key : { ...key, pkcs8: openPem(pkcs8, this.#passphrase, path) };
  }
}

/** Resolves to false when another process wrote this version first. */
async function writeVersion(directory: string, { number, keys }: Version): Promise<boolean> {
  const draft = draftIn(directory);
  const target = join(directory, `keyring-${number}.json`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ version: 1, keys }, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, target);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(draft).catch(ignoreMissing);
  }
  await syncDirectory(directory);
  await tidy(directory, number);
  return true;
}

/** Nothing for a version that has been emptied. */
async function readKeys(path: string): Promise<readonly StoredKey[] | undefined> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch((error) => {
    if (isCode(error, 'ELOOP')) refuse(path, 'is a symbolic link');
    throw error;
  });
  try {
    const { mode } = await file.stat();
    if (HAS_MODES && (mode & OTHERS_MAY_READ_OR_WRITE) !== 0)
      refuse(path, 'is open to other users; chmod 600 it');
    const text = await file.readFile('utf8');
    return text === '' ? undefined : parseKeys(path, text);
  } finally {
    await file.close();
  }
}

function parseKeys(path: string, text: string): readonly StoredKey[] {
  let document: { version?: unknown; keys?: unknown };
  try {
    document = JSON.parse(text);
  } catch {
    refuse(path, DAMAGED); // no cause: it would quote the file
  }
  if (document?.version !== 1 || !Array.isArray(document.keys))
    refuse(path, 'is not a key ring of a known version');
  if (!document.keys.every(isStoredKey)) refuse(path, 'holds a damaged key; restore it from a backup');
  return document.keys;
}

function isStoredKey(item: Partial<Record<keyof StoredKey, unknown>> | null): item is StoredKey {
  const { kid, alg, pkcs8 = '', createdAt, publishAt, expiresAt } = item ?? {};
  const { replacedAt = 0, decryptsUntil = 0, revokedAt = 0 } = item ?? {};
  const times = [createdAt, publishAt, expiresAt, replacedAt, decryptsUntil, revokedAt];
  return [kid, alg, pkcs8].every((text) => typeof text === 'string') && times.every(Number.isFinite);
}

async function checkDirectory(directory: string): Promise<void> {
  const { mode } = await stat(directory);
  if (HAS_MODES && (mode & OTHERS_MAY_WRITE) !== 0)
    refuse(directory, 'can be written by other users; chmod 700 it');
}

async function versionNumbers(directory: string): Promise<number[]> {
  const names = await readdir(directory).catch((error) =>
    isCode(error, 'ENOENT') ? [] : Promise.reject(error),
  );
  return names.flatMap((name) => VERSION_FILE.exec(name)?.[1] ?? []).map(Number);
}

/** Empties versions before this one, and removes drafts that a killed process left. */
async function tidy(directory: string, number: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const version = VERSION_FILE.exec(name)?.[1];
    if (version !== undefined && Number(version) < number) await empty(directory, path);
    else if (DRAFT_FILE.test(name)) await removeAfter(DRAFT_LIFETIME_MS, path);
  }
}

/** In one step: a version is there, whole or empty, at every moment. */
async function empty(directory: string, path: string): Promise<void> {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size === 0) return removeAfter(NAME_LIFETIME_MS, path);
  const draft = draftIn(directory);
  await (await open(draft, 'wx', 0o600)).close();
  await rename(draft, path);
}

async function removeAfter(lifetime: number, path: string): Promise<void> {
  const age = await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > lifetime) await unlink(path).catch(ignoreMissing);
}

function draftIn(directory: string): string {
  return join(directory, `.keyring-${randomUUID()}.draft`);
}

/** Makes the new name survive a power cut. Not every platform can. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined);
  try {
    await handle?.sync().catch(() => {});
  } finally {
    await handle?.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function ignoreMissing(error: unknown): void {
  if (!isCode(error, 'ENOENT')) throw error;
}

function neverAtRest(directory: string): never {
  throw new E2eeError('key_invalid', `The key store ${directory} is changed by others without end`);
}

function refuse(path: string, why: string): never {
  throw new E2eeError('key_invalid', `${path} ${why}`);
}
