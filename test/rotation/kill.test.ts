import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createKeyRing,
  decryptJwe,
  E2eeError,
  type EncryptionKey,
  encryptJwe,
  importKey,
  type PublishedJwk,
} from '@e2ee/core';
import { fileKeyStore } from '@e2ee/core/node';
import { build, defaultServerConditions } from 'vite';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { quickKeys } from './quick-keys.js';
import type { Report, Settings } from './rotating-process.js';

const VERSION = /^keyring-(\d+)\.json$/;
const DRAFT = /\.draft$/;
const MINUTE = 60_000;
const ROUNDS = 11;
/** So many a process can make in its time. */
const KEYS_EACH = 8;
const plaintext = new TextEncoder().encode('{"account_number":"01234567"}');

let root: string;
let keyFile: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'e2ee-kill-'));
  keyFile = join(root, 'keys.json');
  await writeFile(keyFile, JSON.stringify(await quickKeys(2 * ROUNDS * KEYS_EACH)));
  // One file of plain JavaScript starts in a tenth of the time that compiling at each start would take.
  await build({
    configFile: false,
    logLevel: 'silent',
    ssr: { noExternal: true, resolve: { conditions: ['@e2ee/source', ...defaultServerConditions] } },
    build: {
      ssr: join(import.meta.dirname, 'rotating-process.ts'),
      outDir: join(root, 'program'),
      rolldownOptions: { output: { entryFileNames: 'rotating-process.mjs' } },
    },
  });
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

/** What the processes on one store said before they were killed, and what has been seen in it. */
interface Witness {
  readonly directory: string;
  readonly passphrase: string | undefined;
  /** A token for each key that was ever published. */
  readonly tokens: Map<string, Promise<string>>;
  readonly revoking: Set<string>;
  readonly revoked: Set<string>;
  readonly failures: string[];
  processes: number;
  version: number;
}

async function witnessOf(name: string, passphrase?: string): Promise<Witness> {
  const directory = join(root, name);
  await mkdir(directory, { mode: 0o700 });
  const sets = { revoking: new Set<string>(), revoked: new Set<string>() };
  const counts = { processes: 0, version: 0 };
  return { directory, passphrase, tokens: new Map(), failures: [], ...sets, ...counts };
}

const storeOf = ({ directory, passphrase }: Witness) =>
  fileKeyStore(directory, passphrase === undefined ? {} : { passphrase });

function startRotating(witness: Witness): ChildProcess {
  const { directory, passphrase } = witness;
  const from = witness.processes * KEYS_EACH;
  witness.processes += 1;
  const secret = passphrase !== undefined && { passphrase };
  const settings: Settings = { directory, ...secret, keyFile, keys: [from, from + KEYS_EACH] };
  const program = join(root, 'program', 'rotating-process.mjs');
  const child = fork(program, [JSON.stringify(settings)], { execArgv: [] });
  children.add(child);
  child.on('message', (report: Report) => {
    if (report.type === 'published') for (const jwk of report.keys) remember(witness, jwk);
    else if (report.type === 'failed') witness.failures.push(report.why);
    else if (report.type !== 'opening') witness[report.type].add(report.kid);
  });
  return child;
}

function remember({ tokens, failures }: Witness, jwk: PublishedJwk): void {
  const kid = String(jwk.kid);
  if (tokens.has(kid)) return;
  const encrypted = importKey(jwk).then((key) => encryptJwe(plaintext, key as EncryptionKey)); // of a public key
  encrypted.catch((error: unknown) => failures.push(String(error)));
  tokens.set(kid, encrypted);
}

/** Until a process says so, or has ended before its time. */
function reported(child: ChildProcess, type: Report['type']): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.on('message', (report: Report) => report.type === type && resolve());
  });
}

/** Kills without a warning. Resolves when all that the process said has arrived. */
async function kill(child: ChildProcess): Promise<void> {
  expect([child.exitCode, child.signalCode], 'it ended before it was killed').toEqual([null, null]);
  const ended = Promise.all([once(child, 'exit'), child.connected ? once(child, 'disconnect') : undefined]);
  child.kill('SIGKILL');
  await ended;
  children.delete(child);
}

async function verify(witness: Witness): Promise<void> {
  expect(witness.failures).toEqual([]);
  const names = await readdir(witness.directory);
  const versions = names.flatMap((name) => VERSION.exec(name)?.[1] ?? []).map(Number);
  const version = Math.max(0, ...versions);
  expect(version).toBeGreaterThanOrEqual(witness.version);
  witness.version = version;

  const tokens = [...witness.tokens];
  const areGone = [...witness.revoked];
  const ring = await createKeyRing({ store: storeOf(witness) });
  try {
    expect(ring.describe().some(({ state }) => state === 'active')).toBe(true);
    const published = ring.jwks().keys.map(({ kid }) => String(kid));
    expect(published).toHaveLength(1);
    for (const kid of published) expect(ring.find(kid)).toBeDefined();
    for (const [kid, token] of tokens) {
      // The process that lives on may have revoked it since; then it has said so before, and the message may be late.
      if (!ring.find(kid)) await vi.waitFor(() => expect([...witness.revoking]).toContain(kid), 2000);
      else expect((await decryptJwe(await token, ring)).plaintext).toEqual(plaintext);
    }
    for (const kid of areGone) {
      expect(ring.find(kid)).toBeUndefined();
      const token = await witness.tokens.get(kid); // none when whoever published it could not say so any more
      if (token) await expect(decryptJwe(token, ring)).rejects.toMatchObject({ code: 'key_rejected' });
    }
  } finally {
    ring.close();
  }
}

test.each([
  { name: 'a store', passphrase: undefined },
  { name: 'a store with a passphrase', passphrase: 'correct horse battery staple' },
])(
  '$name loses no key when processes that rotate and revoke are killed',
  { timeout: 120_000 },
  async (row) => {
    const witness = await witnessOf(row.name, row.passphrase);
    let kills = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      // Two at a time: the store is looked at while the other one goes on writing, and kills come at any stage.
      const pair = [startRotating(witness), startRotating(witness)];
      await Promise.all(pair.map((child) => reported(child, 'published')));
      for (const child of pair) {
        await sleep(200 * Math.random());
        await kill(child);
        kills += 1;
        await verify(witness);
      }
    }
    const { tokens, revoked, version } = witness;
    const drafts = (await readdir(witness.directory)).filter((name) => DRAFT.test(name)).length;
    console.info(
      `${row.name}: ${kills} kills, ${version} versions, ${tokens.size} keys published, ${revoked.size} revoked, ${drafts} drafts left behind`,
    );
    expect(version).toBeGreaterThan(kills);
    expect(tokens.size).toBeGreaterThan(2);
    await expectTidied(witness);
  },
);

/** What killed processes have left behind goes with the next write, once no living process can still need it. */
async function expectTidied(witness: Witness): Promise<void> {
  const { directory } = witness;
  const abandoned = ['.keyring-torn.draft', '.keyring-empty.draft'];
  const current = '.keyring-current.draft';
  await writeFile(join(directory, '.keyring-torn.draft'), '{ "version": 1, "keys": [{ "kid": "x", "pk');
  await writeFile(join(directory, '.keyring-empty.draft'), '');
  for (const name of (await readdir(directory)).filter((each) => DRAFT.test(each))) {
    const longAgo = new Date(Date.now() - 2 * MINUTE);
    await utimes(join(directory, name), longAgo, longAgo);
  }
  await writeFile(join(directory, current), '');
  expect(await readdir(directory)).toEqual(expect.arrayContaining(abandoned));
  await verify(witness);
  const ring = await createKeyRing({ store: storeOf(witness) });
  await ring.rotate();
  ring.close();
  const names = await readdir(directory);
  expect(names.filter((name) => DRAFT.test(name))).toEqual([current]);
  const versions = names.filter((name) => VERSION.test(name));
  const sizes = await Promise.all(versions.map(async (name) => (await stat(join(directory, name))).size));
  expect(sizes.filter((size) => size > 0)).toHaveLength(1); // earlier versions keep their names only
  await verify(witness);
}

test('a process that is killed as it makes the first key leaves a store that opens', {
  timeout: 60_000,
}, async () => {
  const half = 5;
  let published = 0;
  for (let round = 0; round < half; round += 1) {
    const passphrase = round % 2 === 0 ? undefined : 'correct horse battery staple';
    const witnesses = [
      await witnessOf(`new ${round} a`, passphrase),
      await witnessOf(`new ${round} b`, passphrase),
    ];
    await Promise.all(
      witnesses.map(async (witness) => {
        const child = startRotating(witness);
        await reported(child, 'opening');
        await sleep(60 * Math.random());
        await kill(child);
        published += witness.tokens.size;
        await verify(witness);
      }),
    );
  }
  console.info(`${2 * half} kills during the first creation; ${published} first keys had been published`);
});

test('a store is not opened with the wrong passphrase after all that', async () => {
  const witness = await witnessOf('sealed', 'right');
  await verify(witness);
  const error = await createKeyRing({ store: storeOf({ ...witness, passphrase: 'wrong' }) }).catch((e) => e);
  expect(error).toBeInstanceOf(E2eeError);
  expect(error).toMatchObject({ code: 'key_invalid' });
  await verify(witness);
});
