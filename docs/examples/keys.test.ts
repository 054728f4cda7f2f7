import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createKeyRing } from '@e2ee/core';
import { fileKeyStore } from '@e2ee/core/node';
import { keyStoreContract } from '@e2ee/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/*
 * The code of docs/keys.md. A block is named after the file that it is part of; one that is `not-run` says so in the text.
 */
const docs = join(import.meta.dirname, '..');
const text = await readFile(join(docs, 'keys.md'), 'utf8');
const blocks = [...text.matchAll(/^```(ts|sh) (\S+)\n([\s\S]*?)^```$/gm)].map(
  ([, language, name = '', code = '']) => {
    return { language, name, code };
  },
);

function codeOf(name: string): string {
  return blocks
    .filter((block) => block.name === name)
    .map(({ code }) => code)
    .join('');
}

let directory: string;
let server: Server;
let jwks: object;
const seen: unknown[] = [];

beforeAll(async () => {
  // Below the repository, so that the packages are found as a user's project finds them. Git ignores the name.
  directory = await mkdtemp(join(docs, '../test/.readme-keys-'));
  jwks = (await createKeyRing()).jwks();
  server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
});

/** Runs the code of a name as a user would, and resolves to what it prints. */
async function run(
  name: string,
  { before = '', env = {} }: { before?: string; env?: object } = {},
): Promise<string> {
  await writeFile(join(directory, name), before + codeOf(name));
  const args = ['--conditions=@e2ee/source', '--import', 'tsx', name];
  const options = { cwd: directory, env: { ...process.env, ...env }, timeout: 15_000 };
  return (await promisify(execFile)(process.execPath, args, options)).stdout;
}

async function shell(name: string): Promise<void> {
  await promisify(execFile)('sh', ['-e', '-c', codeOf(name)], { cwd: directory });
}

describe('docs/keys.md', () => {
  it('has no code that is neither run nor marked', () => {
    const all = [...text.matchAll(/^```(?=\w)(.*)$/gm)].map(([, info]) => info);
    expect(all).toEqual(blocks.map(({ language, name }) => `${language} ${name}`));
    const run = [
      'rotate.ts',
      'passphrase.ts',
      'backup',
      'restore',
      'contract.ts',
      'remote.ts',
      'partners.ts',
    ];
    const known = [...run, 'examples/key-store/cell-key-store.ts', 'not-run'];
    expect(new Set(blocks.map(({ name }) => name))).toEqual(new Set(known));
  });

  it('leads somewhere with each of its links', async () => {
    const titles = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title);
    const anchors = titles.map(
      (title) =>
        `#${title
          .toLowerCase()
          .replace(/[^\w\- ]/g, '')
          .replaceAll(' ', '-')}`,
    );
    for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (target.startsWith('#')) expect(anchors).toContain(target);
      else
        await expect(
          readdir(join(docs, target)).catch(() => readFile(join(docs, target))),
        ).resolves.toBeTruthy();
    }
  });

  it('shows the store of the example as it is tested', async () => {
    const file = 'examples/key-store/cell-key-store.ts';
    expect(codeOf(file)).toBe(await readFile(join(docs, file), 'utf8'));
  });

  it('rotates and revokes; the times are as the text says', async () => {
    const output = await run('rotate.ts');
    expect(output).toMatch(/^active \[/);
    expect(output.trim()).toMatch(/\[ 'active', 'revoked' \]$/);
    const times = (name: string) =>
      [...output.matchAll(new RegExp(`${name}: '([^']+)'`, 'g'))].map(
        ([, time = '']) => Date.parse(time) / 1000,
      );
    const [made = 0] = times('createdAt');
    const [expires = 0, firstExpires = 0] = times('expiresAt');
    const [until = 0] = times('decryptsUntil');
    const published = made + 4 * 0.5;
    expect(expires - published).toBeCloseTo(2_592_000, 1);
    expect(until - published).toBeCloseTo(600 + 86_400 + 300, 1);
    expect(firstExpires - until).toBeGreaterThan(0);
    await expectOneKey('keys');
  });

  it('backs up, seals and restores what was rotated', async () => {
    const kid = await expectOneKey('keys');
    await shell('backup');
    expect(await run('passphrase.ts', { env: { KEYS_PASSPHRASE: 'correct horse' } })).toBe('2\n');
    const [file = ''] = await readdir(join(directory, 'sealed-keys'));
    const sealed = await readFile(join(directory, 'sealed-keys', file), 'utf8');
    expect(sealed).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(sealed).not.toContain('BEGIN PRIVATE KEY');
    const ring = await createKeyRing({ store: fileKeyStore(join(directory, 'keys')) });
    await ring.rotate();
    ring.close();
    await shell('restore');
    expect(await expectOneKey('keys')).toBe(kid);
  });

  it('runs the contract on a store of its own', async () => {
    await copyFile(join(docs, 'examples/key-store/cell-key-store.ts'), join(directory, 'cell-key-store.ts'));
    await copyFile(join(docs, 'examples/key-store/memory-cell.ts'), join(directory, 'memory-cell.ts'));
    expect((await run('contract.ts')).trim().split('\n')).toEqual(
      keyStoreContract.map(({ name }) => `ok ${name}`),
    );
  });

  it('fetches the keys of a provider, and starts from a preset', async () => {
    const { port } = server.address() as AddressInfo; // a TCP server has no other kind of address
    const env = { JWKS_URL: `http://127.0.0.1:${port}/jwks`, JWKS_TOKEN: 'of-ours' };
    const output = await run('remote.ts', { env });
    expect(output).toMatch(/^refreshed/);
    expect(output).toMatch(/state: 'fresh'/);
    expect(output.trim()).toMatch(/^[\w-]{43} fresh$/m);
    expect(seen).toEqual(['Bearer of-ours']);
  });

  it('registers partners', async () => {
    const [jwk] = (await createKeyRing()).jwks().keys;
    const before = `const oldKey = ${JSON.stringify(jwk)};\nconst newKey = oldKey;\n`;
    expect(await run('partners.ts', { before })).toBe('encrypt undefined\n');
  });
});

/** Opens a directory as a ring, and resolves to the one key that it publishes. */
async function expectOneKey(name: string): Promise<string | undefined> {
  const ring = await createKeyRing({ store: fileKeyStore(join(directory, name)) });
  ring.close();
  const { keys } = ring.jwks();
  expect(keys).toHaveLength(1);
  return keys[0]?.kid;
}
