import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { errorOf, everythingOf } from '../../test/keys-fixtures.js';
import { decryptJwe } from '../jwe/decrypt.js';
import { encryptJwe } from '../jwe/encrypt.js';
import { fileKeyStore } from './file-key-store.node.js';
import { importKey } from './import-key.js';
import { createKeyRing, type KeyRing } from './key-ring.js';
import type { KeyStore, StoredKey } from './key-store.js';

vi.mock('jose', async (importOriginal) => {
  const { reusingKeyPairs } = await import('../../test/keys-pool.js');
  return reusingKeyPairs(await importOriginal());
});

const CHILD = fileURLToPath(new URL('../../test/keys-child.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

let base: string;
let directory: string;
let rings: KeyRing[];
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'e2ee-keys-'));
  directory = join(base, 'keys');
  rings = [];
});
afterEach(async () => {
  for (const ring of rings) ring.close();
  await rm(base, { recursive: true, force: true });
});

/** A ring on the directory; it looks often, so that a rotation takes 0.1 s. */
async function open(options: { passphrase?: string; grace?: number } = {}): Promise<KeyRing> {
  const { grace = 60, ...rest } = options;
  const ring = await createKeyRing({ store: fileKeyStore(directory, { pollInterval: 25, ...rest }), grace });
  rings.push(ring);
  return ring;
}

const kidOf = (ring: KeyRing): string => String(ring.jwks().keys[0]?.kid);
const tokenFor = async (ring: KeyRing): Promise<string> =>
  encryptJwe(Buffer.from('kept'), await importKey(ring.jwks().keys[0] ?? {}));
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
/** The one file that is not empty; the others are earlier versions. */
const theFile = async (): Promise<string> => {
  const names = await readdir(directory);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
  const full = names.filter((_, i) => sizes[i] !== 0);
  for (const name of names) expect(name).toMatch(/^keyring-\d+\.json$/);
  expect(full).toHaveLength(1);
  return join(directory, String(full[0]));
};
const theSizes = (names: readonly string[]): Promise<number[]> =>
  Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
const key = (kid: string, times: Partial<StoredKey> = {}): StoredKey => {
  const bytes = { pkcs8: `secret bytes of ${kid}`, createdAt: 1, publishAt: 1, expiresAt: 2 };
  return { kid, alg: 'RSA-OAEP-256', ...bytes, ...times };
};
const adding =
  (kid: string): Parameters<KeyStore['update']>[0] =>
  async (keys) =>
    keys.some((each) => each.kid === kid) ? keys : [...keys, key(kid)];
const kidsIn = async (store: KeyStore): Promise<string[]> =>
  (await store.read()).map(({ kid }) => kid).sort();

async function expectRefused(why: RegExp): Promise<void> {
  const opening = () => createKeyRing({ store: fileKeyStore(directory) });
  for (const work of [() => fileKeyStore(directory).read(), opening]) {
    const error = await errorOf(work());
    expect(error).toMatchObject({ code: 'key_invalid', message: expect.stringMatching(why) });
    expect(error).toMatchObject({ message: expect.stringContaining(directory) });
    expect(everythingOf(error)).not.toMatch(/secret bytes|PRIVATE|MII/);
  }
}

describe('a file key store', () => {
  it('makes its directory and files for their owner only', async () => {
    directory = join(base, 'deep', 'er', 'keys');
    await open();
    expect(await modeOf(directory)).toBe(0o700);
    expect(await modeOf(join(base, 'deep'))).toBe(0o700);
    expect(await modeOf(await theFile())).toBe(0o600);
  });

  it('does so whatever the umask of the process is', async () => {
    const before = process.umask(0);
    try {
      await open();
    } finally {
      process.umask(before);
    }
    expect(await modeOf(directory)).toBe(0o700);
    expect(await modeOf(await theFile())).toBe(0o600);
  });

  it('survives a restart: the same key is published, and old tokens open', async () => {
    const first = await open();
    const oldest = await tokenFor(first);
    const { kid } = await first.rotate();
    const token = await tokenFor(first);
    first.close();
    const again = await open();
    expect(kidOf(again)).toBe(kid);
    expect(again.jwks()).toEqual(first.jwks());
    expect(Buffer.from((await decryptJwe(token, again)).plaintext).toString()).toBe('kept');
    expect((await decryptJwe(oldest, again)).plaintext).toHaveLength(4);
    expect(again.describe()).toEqual(first.describe());
  });

  it('holds one file and no leftovers, however often it changes', async () => {
    const store = fileKeyStore(directory);
    for (const kid of ['a', 'b', 'c']) await store.update(adding(kid));
    expect(await theFile()).toMatch(/keyring-3\.json$/);
    expect(await kidsIn(store)).toEqual(['a', 'b', 'c']);
  });

  it('is empty, and makes nothing, when it is only read', async () => {
    expect(await fileKeyStore(directory).read()).toEqual([]);
    expect(await readdir(base)).toEqual([]);
  });

  it('writes nothing when nothing changes, or when the change fails', async () => {
    const store = fileKeyStore(directory);
    await store.update(adding('a'));
    const path = await theFile();
    const { mtimeMs, ino } = await stat(path);
    expect(await store.update(async (keys) => keys)).toEqual([key('a')]);
    const error = new Error('no');
    expect(await errorOf(store.update(() => Promise.reject(error)))).toBe(error);
    expect(await theFile()).toBe(path);
    expect(await stat(path)).toMatchObject({ mtimeMs, ino });
    expect(await store.update(adding('b'))).toHaveLength(2);
  });

  it('removes the bytes of a revoked key from the disk', async () => {
    const ring = await open();
    const old = kidOf(ring);
    const before = JSON.parse(await readFile(await theFile(), 'utf8'));
    const secret = String(before.keys[0].pkcs8).split('\n')[5];
    await ring.revoke(old);
    const text = await readFile(await theFile(), 'utf8');
    expect(text).toContain(old);
    expect(text).not.toContain(secret);
  });
});

describe('several stores on one directory', () => {
  it('make one first key', async () => {
    const [a, b, c] = await Promise.all([open(), open(), open()]);
    expect(new Set([a, b, c].map(kidOf)).size).toBe(1);
    expect(await fileKeyStore(directory).read()).toHaveLength(1);
    const token = await tokenFor(a);
    expect((await decryptJwe(token, c)).kid).toBe(kidOf(b));
  });

  it('make one new key when all rotate at once, published when each of them has it', async () => {
    const all = [await open(), await open()];
    const made = await Promise.all(all.map((ring) => ring.rotate()));
    expect(new Set(made.map(({ kid }) => kid)).size).toBe(1);
    expect(new Set(all.map(kidOf))).toEqual(new Set(made.map(({ kid }) => kid)));
    expect(await fileKeyStore(directory).read()).toHaveLength(2);
  });

  it('lose no change, in whatever order they write', async () => {
    const stores = Array.from({ length: 4 }, () => fileKeyStore(directory));
    const kids = Array.from({ length: 40 }, (_, i) => `key-${i}`);
    await Promise.all(kids.map((kid, i) => stores[i % 4]?.update(adding(kid))));
    for (const store of [...stores, fileKeyStore(directory)])
      expect(await kidsIn(store)).toEqual([...kids].sort());
    await theFile();
  });

  it('do not let a writer who was slow undo what others have written meanwhile', async () => {
    const [slow, quick] = [fileKeyStore(directory), fileKeyStore(directory)];
    await slow.update(adding('first'));
    let calls = 0;
    await slow.update(async (keys) => {
      calls += 1;
      // Two versions later, the number that the slow one is about to write is free again.
      if (calls === 1) for (const kid of ['quick-1', 'quick-2']) await quick.update(adding(kid));
      return adding('slow')(keys);
    });
    expect(calls).toBe(2);
    expect(await kidsIn(fileKeyStore(directory))).toEqual(['first', 'quick-1', 'quick-2', 'slow']);
    await theFile();
  });

  it('see each other’s changes at the next read', async () => {
    const [a, b] = [fileKeyStore(directory), fileKeyStore(directory)];
    for (const kid of ['1', '2', '3']) {
      await a.update(adding(kid));
      expect(await b.read()).toEqual(await a.read());
      expect(await b.read()).toBe(await b.read()); // nothing new: nothing is read
    }
  });
});

describe('a passphrase', () => {
  it('keeps private keys out of the files, and opens them again', async () => {
    const ring = await open({ passphrase: 'correct horse' });
    const token = await tokenFor(ring);
    const text = await readFile(await theFile(), 'utf8');
    expect(text).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(text).not.toContain('BEGIN PRIVATE KEY');
    expect(text).not.toContain('correct horse');
    const again = await open({ passphrase: 'correct horse' });
    expect((await decryptJwe(token, again)).kid).toBe(kidOf(ring));
  });

  it('that is wrong or missing is said, naming the file and nothing from it', async () => {
    await open({ passphrase: 'correct horse' });
    const attempts = [
      [{ passphrase: 'battery staple' }, /passphrase is wrong, or the file damaged/],
      [{}, /is encrypted; open it with the `passphrase` option/],
    ] as const;
    for (const [options, why] of attempts) {
      const error = await errorOf(open(options));
      expect(error).toMatchObject({ code: 'key_invalid', message: expect.stringMatching(why) });
      expect(error).toMatchObject({ message: expect.stringContaining(directory) });
      expect(everythingOf(error)).not.toMatch(/horse|staple|MII|BEGIN/);
    }
  });

  it('of the greatest length opens what it has sealed', async () => {
    const passphrase = 'é'.repeat(512);
    const kid = kidOf(await open({ passphrase }));
    expect(kidOf(await open({ passphrase }))).toBe(kid);
  });

  it('can be introduced later: the next change encrypts what was plain', async () => {
    const kid = kidOf(await open());
    const ring = await open({ passphrase: 'correct horse' });
    expect(kidOf(ring)).toBe(kid);
    await ring.rotate();
    expect(await readFile(await theFile(), 'utf8')).not.toContain('BEGIN PRIVATE KEY');
    expect((await open({ passphrase: 'correct horse' })).find(kid)).toBeDefined();
  });
});

describe('a directory', () => {
  it('that vanishes takes no keys from a ring that is open, and no new ring is started in its place', async () => {
    const ring = await open();
    const kid = kidOf(ring);
    await rename(directory, `${directory}-away`);
    expect(await errorOf(ring.rotate())).toMatchObject({
      code: 'key_invalid',
      message: expect.stringContaining('lost its files'),
    });
    await new Promise((resolve) => setTimeout(resolve, 60)); // some looks
    expect(kidOf(ring)).toBe(kid);
    expect(ring.find(kid)).toBeDefined();
    await rm(directory, { recursive: true, force: true });
    await rename(`${directory}-away`, directory);
    expect((await ring.rotate()).kid).not.toBe(kid);
  });

  it('that cannot be tidied does not undo what was written', async () => {
    const ring = await open();
    const old = kidOf(ring);
    await ring.rotate();
    // A directory in the place of an earlier version: it can be neither emptied nor removed.
    await mkdir(join(directory, 'keyring-0.json', 'x'), { recursive: true });
    await ring.revoke(old);
    expect(ring.find(old)).toBeUndefined();
    expect((await open()).find(old)).toBeUndefined();
  });

  it('is given no key that could not be read again', async () => {
    const store = fileKeyStore(directory);
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const written = store.update(async () => [key('a', { expiresAt: time })]);
      expect(await errorOf(written)).toMatchObject({ code: 'key_invalid' });
    }
    expect(await store.read()).toEqual([]);
  });
});

describe('a file that cannot be trusted', () => {
  const write = async (text: string, name = 'keyring-1.json'): Promise<void> => {
    await mkdir(directory, { mode: 0o700, recursive: true });
    await writeFile(join(directory, name), text, { mode: 0o600 });
  };
  const good = (keys: unknown = [key('a')], version = 1): string =>
    JSON.stringify({ version, keys }, null, 2);

  it('is refused when it is truncated, wherever', async () => {
    await open();
    const path = await theFile();
    const text = await readFile(path, 'utf8');
    for (const length of [0, 1, 20, 100, 1000, text.length - 3]) {
      await writeFile(path, text.slice(0, length));
      await expectRefused(/is damaged \(truncated\?\)/);
    }
  });

  it.each<[what: string, text: string, why: RegExp]>([
    ['is not JSON', 'secret bytes', /is damaged/],
    ['is null', 'null', /not a key ring of a known version/],
    ['is an array', '[]', /not a key ring of a known version/],
    ['has no version', '{"keys":[]}', /not a key ring of a known version/],
    ['is of a later version', good([], 2), /not a key ring of a known version/],
    ['has no keys', '{"version":1}', /not a key ring of a known version/],
    ['has a key that is null', good([null]), /holds a damaged key/],
    ['has a key that is a text', good(['secret bytes']), /holds a damaged key/],
    ['has a key without a kid', good([{ ...key('a'), kid: undefined }]), /holds a damaged key/],
    ['has a key without a time', good([{ ...key('a'), createdAt: null }]), /holds a damaged key/],
    ['has bytes that are no text', good([{ ...key('a'), pkcs8: 5 }]), /holds a damaged key/],
    ['has an odd time', good([{ ...key('a'), revokedAt: 'now' }]), /holds a damaged key/],
  ])('is refused when it %s', async (_what, text, why) => {
    await write(text);
    await expectRefused(why);
  });

  it('is refused when its key is not one, without showing it', async () => {
    await write(good());
    const error = await errorOf(createKeyRing({ store: fileKeyStore(directory) }));
    expect(error).toMatchObject({ code: 'key_invalid' });
    expect(everythingOf(error)).not.toContain('secret bytes');
  });

  it.each(['644', '640', '604', '620', '602', '610'])('is refused with the mode %s', async (mode) => {
    await write(good());
    await chmod(join(directory, 'keyring-1.json'), mode);
    await expectRefused(/is open to other users; chmod 600 it/);
  });

  it('is refused when it is a symbolic link, to a good file, to nothing, or to itself', async () => {
    await write(good());
    const elsewhere = join(base, 'elsewhere.json');
    await writeFile(elsewhere, good(), { mode: 0o600 });
    for (const target of [elsewhere, join(base, 'nothing'), join(directory, 'keyring-2.json')]) {
      await symlink(target, join(directory, 'keyring-2.json'));
      await expectRefused(/keyring-2\.json is a symbolic link/);
      await rm(join(directory, 'keyring-2.json'));
    }
  });

  it('is not written into a directory that others may write', async () => {
    await mkdir(directory);
    for (const mode of [0o777, 0o770, 0o702]) {
      await chmod(directory, mode);
      const error = await errorOf(createKeyRing({ store: fileKeyStore(directory) }));
      expect(error).toMatchObject({ code: 'key_invalid', message: expect.stringMatching(/chmod 700/) });
    }
    expect(await readdir(directory)).toEqual([]);
    await chmod(directory, 0o755);
    await expect(open()).resolves.toBeDefined();
  });
});

describe('what a killed process leaves behind', () => {
  it('does not matter: an older version, a draft, a file of somebody else', async () => {
    const store = fileKeyStore(directory);
    await store.update(adding('a'));
    await store.update(adding('b'));
    const foreign = ['keyring-old.json', 'README', '.keyring', 'keyring-1.json.bak'];
    for (const name of [...foreign, 'keyring-1.json', '.keyring-old.draft', '.keyring-new.draft']) {
      await writeFile(join(directory, name), '{"version":1,"keys":[', { mode: 0o600 });
    }
    const hourAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(directory, '.keyring-old.draft'), hourAgo, hourAgo);
    expect(await kidsIn(fileKeyStore(directory))).toEqual(['a', 'b']);
    await fileKeyStore(directory).update(adding('c'));
    expect(await kidsIn(store)).toEqual(['a', 'b', 'c']);
    // The young draft may be somebody's who is writing just now.
    const versions = ['keyring-1.json', 'keyring-2.json', 'keyring-3.json'];
    expect((await readdir(directory)).sort()).toEqual([...foreign, '.keyring-new.draft', ...versions].sort());
    expect(await theSizes(['keyring-1.json', 'keyring-2.json'])).toEqual([0, 0]);
  });

  it('does not matter when it is a day old: the names of earlier versions go', async () => {
    const store = fileKeyStore(directory);
    for (const kid of ['a', 'b', 'c']) await store.update(adding(kid));
    const longAgo = new Date(Date.now() - 2 * 86_400_000);
    await utimes(join(directory, 'keyring-1.json'), longAgo, longAgo);
    await store.update(adding('d'));
    expect(await readdir(directory)).not.toContain('keyring-1.json');
    expect(await kidsIn(fileKeyStore(directory))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is refused, not taken for an empty ring, when the newest version has lost its bytes', async () => {
    await fileKeyStore(directory).update(adding('a'));
    await writeFile(await theFile(), '');
    const error = await errorOf(fileKeyStore(directory).read());
    expect(error).toMatchObject({ code: 'key_invalid', message: expect.stringMatching(/damaged/) });
  });

  it('by kill -9 in the middle of writing is a store that opens, with all that was ever confirmed', async () => {
    for (const delay of [0, 5, 12]) {
      const child = run('count');
      const stored = lines(child);
      await vi.waitUntil(() => stored.length > 2, { timeout: 15_000, interval: 1 });
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
      const [counter] = await fileKeyStore(directory).read();
      const count = Number(counter?.createdAt);
      const confirmed = Number(stored.at(-1));
      expect([confirmed, confirmed + 1]).toContain(count);
      expect(counter?.pkcs8).toBe(String(count).repeat(50_000));
    }
    await fileKeyStore(directory).update(adding('still writable'));
  }, 60_000);
});

describe('several processes on one directory', () => {
  it('make one first key, and end by themselves', async () => {
    const children = [run('open'), run('open')];
    const kids = children.map(lines);
    const codes = await Promise.all(
      children.map((child) => new Promise((resolve) => child.once('close', resolve))),
    );
    expect(codes).toEqual([0, 0]);
    expect(new Set(kids.flat()).size).toBe(1);
    expect(kids.flat()).toEqual([kidOf(await open()), kidOf(await open())]);
  }, 30_000);
});

function run(command: 'open' | 'count'): ChildProcess {
  const args = ['--conditions=@e2ee/source', '--import', 'tsx', CHILD, command, directory];
  return spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The whole lines that a process has written so far; grows. */
function lines(child: ChildProcess): string[] {
  const whole: string[] = [];
  let rest = '';
  child.stdout?.on('data', (part) => {
    const parts = (rest + part).split('\n');
    rest = parts.pop() ?? '';
    whole.push(...parts);
  });
  return whole;
}

describe('a bad option of fileKeyStore', () => {
  it('is refused by name', async () => {
    const bad: readonly (readonly [string, unknown, object?])[] = [
      ...['', undefined, null, 5, {}].map((value) => ['directory', value] as const),
      ...['', 5, null, 'x'.repeat(1025), 'é'.repeat(513)].map(
        (passphrase) => ['passphrase', './keys', { passphrase }] as const,
      ),
      ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5'].map(
        (pollInterval) => ['pollInterval', './keys', { pollInterval }] as const,
      ),
    ];
    for (const [option, path, options] of bad) {
      const error = await errorOf(() => fileKeyStore(path as string, options)); // also what no type allows
      expect(error).toMatchObject({
        code: 'option_invalid',
        message: expect.stringContaining(`\`${option}\``),
      });
    }
  });
});
