import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { E2eeError } from '../errors.js';
import type { StoredKey } from './key-store.js';

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
const OTHERS_MAY_READ_OR_WRITE = 0o077;
const OTHERS_MAY_WRITE = 0o022;
const DAMAGED = 'is damaged (truncated?); restore it from a backup';
const HAS_MODES = process.platform !== 'win32';
const MAX_ATTEMPTS = 100;

/** The ring at one time, as it is in the file. Number 0 is a ring that nobody has written yet. */
export interface Version {
  readonly number: number;
  readonly path: string;
  readonly keys: readonly StoredKey[];
}

/** Makes the directory where it is missing. Rejects with `key_invalid` when others may write to it. */
export async function prepareDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { mode } = await stat(directory);
  if (HAS_MODES && (mode & OTHERS_MAY_WRITE) !== 0)
    refuse(directory, 'can be written by other users; chmod 700 it');
}

/** The newest version; nothing when it is the one of the number `known`. */
export async function readNewest(directory: string, known: number): Promise<Version | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const number = await newestNumber(directory);
    if (number === known) return undefined;
    const path = pathOf(directory, number);
    if (number === 0 && known > 0) refuse(directory, 'has lost its files; restore it from a backup');
    if (number === 0) return { number, path, keys: [] };
    try {
      const keys = await readKeys(path);
      if (keys) return { number, path, keys };
      if (number === (await newestNumber(directory))) refuse(path, DAMAGED);
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error; // tidied away between listing and reading: a newer one is there
    }
  }
  return neverAtRest(directory);
}

/** Resolves to false when another process wrote this version first. */
export async function writeVersion(
  directory: string,
  { number, keys }: Pick<Version, 'number' | 'keys'>,
): Promise<boolean> {
  if (!keys.every(isStoredKey)) refuse(directory, 'is not given a key that could not be read again');
  const draft = draftIn(directory);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ version: 1, keys }, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, pathOf(directory, number));
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(draft).catch(ignoreMissing);
  }
  // It is written: what fails from here on does not undo it.
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

async function newestNumber(directory: string): Promise<number> {
  const names = await readdir(directory).catch((error) =>
    isCode(error, 'ENOENT') ? [] : Promise.reject(error),
  );
  return Math.max(0, ...names.flatMap((name) => VERSION_FILE.exec(name)?.[1] ?? []).map(Number));
}

/** Empties versions before this one, and removes drafts that a killed process left; the next time, where that fails. */
export async function tidy(directory: string, number: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    const version = VERSION_FILE.exec(name)?.[1];
    const isEarlier = version !== undefined && Number(version) < number;
    if (isEarlier) await empty(directory, path).catch(() => {});
    else if (DRAFT_FILE.test(name)) await removeAfter(DRAFT_LIFETIME_MS, path).catch(() => {});
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

function pathOf(directory: string, number: number): string {
  return join(directory, `keyring-${number}.json`);
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
    await handle?.close().catch(() => {});
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function ignoreMissing(error: unknown): void {
  if (!isCode(error, 'ENOENT')) throw error;
}

function refuse(path: string, why: string): never {
  throw new E2eeError('key_invalid', `${path} ${why}`);
}

export function neverAtRest(directory: string): never {
  throw new E2eeError('key_invalid', `The key store ${directory} is changed by others without end`);
}
