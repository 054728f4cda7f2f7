import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { banked, createKeyRing, importKey, type Recipient, remoteJwks, staticKeys } from '@e2ee/core';
import { e2ee as server } from '@e2ee/express';
import { e2ee as client } from '@e2ee/fetch';
import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const children: ChildProcessByStdio<null, Readable, null>[] = [];
const directories: string[] = [];

afterAll(async () => {
  for (const child of children) child.kill();
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

/** Below the repository, so that packages are found as a user's project finds them. Git ignores the name. */
async function directoryIn(folder: string): Promise<string> {
  const directory = await mkdtemp(join(root, folder, '.readme-'));
  directories.push(directory);
  return directory;
}

function start(directory: string, file: string, env: Record<string, string> = {}): Readable {
  const args = ['--conditions=@e2ee/source', '--import', 'tsx', file];
  const child = spawn(process.execPath, args, {
    cwd: directory,
    env: { ...process.env, ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child.stdout.setEncoding('utf8');
}

async function outputUntil(stdout: Readable, pattern: RegExp): Promise<RegExpExecArray> {
  let text = '';
  for await (const chunk of stdout) {
    text += chunk;
    const match = pattern.exec(text);
    if (match) return match;
  }
  throw new Error(`The program ended without printing ${pattern}: ${text}`);
}

describe('the server and the client of the README', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await directoryIn('test');
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    for (const [, name = '', code = ''] of readme.matchAll(/^```[jt]s (\S+)\n([\s\S]*?)^```$/gm)) {
      await writeFile(join(directory, name), code);
    }
  });

  test('talk encrypted', async () => {
    const [, port] = await outputUntil(start(directory, 'server.mjs', { PORT: '0' }), /port: (\d+)/);
    const calling = start(directory, 'client.mjs', { API_URL: `http://127.0.0.1:${port}` });
    const [line] = await outputUntil(calling, /^\{.*\}$/m);
    expect(JSON.parse(line)).toEqual({
      id: 'ps_1',
      amount: 1999,
      payee: { name: '[REDACTED]', account_number: '[REDACTED]' },
    });
  });

  test('take less than 15 lines each', async () => {
    for (const file of ['server.mjs', 'client.mjs']) {
      const lines = (await readFile(join(directory, file), 'utf8'))
        .split('\n')
        .filter((line) => line.trim() !== '');
      expect(lines.length).toBeLessThan(15);
    }
  });
});

/** What stands in the place of `app.listen(3000)`: any free port, and says which. */
const LISTEN = `const listening = await app.listen(0);
(function say() {
  if (listening.address()) console.log('port: ' + listening.address().port);
  else setTimeout(say, 5);
})()`;

/** For tsx, which asks file by file what decorators mean: of the sample, and of the package that it imports. */
const STARTED = { extends: '../../../../tsconfig.base.json', include: ['*.ts', '../../src'] };

/** For the types of all samples together. */
const CHECKED = {
  extends: '../../tsconfig.base.json',
  compilerOptions: {
    noEmit: true,
    noUnusedLocals: false,
    isolatedDeclarations: false,
    declaration: false,
    sourceMap: false,
    inlineSources: false,
  },
};

/** The first sample of each package's README. That of @e2ee/fetch has a test in its own package. */
describe('the sample that the README of a package begins with', { timeout: 60_000 }, () => {
  const partner = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicPem = partner.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const privatePem = partner.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const samples = new Map<string, { readonly directory: string; readonly code: string }>();

  beforeAll(async () => {
    for (const name of ['core', 'express', 'koa', 'nest', 'axios-interceptor']) {
      const directory = await directoryIn(`packages/${name}/test`);
      const readme = await readFile(join(root, 'packages', name, 'README.md'), 'utf8');
      const code = /^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? '';
      await writeFile(join(directory, 'sample.ts'), code);
      await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(STARTED));
      await writeFile(join(directory, 'acme.pem'), publicPem);
      await writeFile(join(directory, 'own.pem'), privatePem);
      samples.set(name, { directory, code });
    }
  });

  /** Starts a sample with something else in the place of a part of it. */
  async function startInstead(name: string, part: RegExp, instead: string): Promise<Readable> {
    const { directory = '', code = '' } = samples.get(name) ?? {};
    expect(code).toMatch(part);
    await writeFile(join(directory, 'started.ts'), code.replaceAll(part, instead));
    return start(directory, 'started.ts');
  }

  test('has the types that it says', async () => {
    const directory = await directoryIn('test');
    const files = [...samples.values()].map((sample) => join(sample.directory, 'sample.ts'));
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ ...CHECKED, files }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const checked = await promisify(execFile)(process.execPath, [tsc, '-p', directory]).catch(
      (error) => error,
    );
    expect(checked.stdout).toBe('');
  });

  test('of the core prints what its comment says', async () => {
    const { directory = '', code = '' } = samples.get('core') ?? {};
    const [, said = ''] = /console\.log\(.*; \/\/ (.*)$/m.exec(code) ?? [];
    const [line] = await outputUntil(start(directory, 'sample.ts'), /^\{.*\}$/m);
    expect(line).toBe(said);
  });

  test.each(['express', 'koa', 'nest'])('of %s decrypts, and answers the partner encrypted', async (name) => {
    const app = await startInstead(name, /(?:await )?app\.listen\(3000\)/g, LISTEN);
    const [, port] = await outputUntil(app, /port: (\d+)/);
    const api = `http://127.0.0.1:${port}`;
    const encryptionKeys = remoteJwks(`${api}/.well-known/jwks.json`);
    const wire: string[] = [];
    const call = client({
      profile: banked,
      encryptionKeys,
      keyRing: await createKeyRing({ keys: await importKey(privatePem) }),
      fetch: async (...call) => {
        const response = await fetch(...call);
        wire.push(String(call[1]?.body), await response.clone().text());
        return response;
      },
    });
    const body = JSON.stringify({ amount: 1999, payee: { name: 'John Doe' } });
    const headers = { 'content-type': 'application/json', 'x-client': 'acme' };
    const response = await call(`${api}/v2/payment_sessions`, { method: 'POST', headers, body });
    expect(await response.json()).toEqual({ amount: 1999, payee: { name: 'John Doe' } });
    expect(wire.map((text) => Object.keys(JSON.parse(text)))).toEqual(
      Array.from({ length: 2 }, () => ['amount', 'encrypted_payee']),
    );
    encryptionKeys.close();
  });

  test('of Axios sends tokens, and reads the answer', async () => {
    const encryptionKeys = staticKeys(await importKey(publicPem));
    const recipient = (): Recipient => ({ id: 'shop', encryptionKeys, response: 'encrypt' });
    const wire: unknown[] = [];
    const app = express().use(express.json());
    app.use((req, _res, next) => {
      if (req.body !== undefined) wire.push(req.body);
      next();
    });
    app.use(server({ profile: banked, keyRing: await createKeyRing(), recipient }));
    app.post('/v2/payment_sessions', (req, res) => void res.status(201).json(req.body));
    const listening: Server = app.listen(0, '127.0.0.1');
    try {
      await new Promise((done) => listening.once('listening', done));
      const { port } = listening.address() as AddressInfo; // a TCP server has no other kind of address
      const calling = await startInstead(
        'axios-interceptor',
        /https:\/\/api\.banked\.com/g,
        `http://127.0.0.1:${port}`,
      );
      await outputUntil(calling, /^\{ name: 'John Doe' \}$/m);
      expect(wire).toEqual([{ encrypted_payee: expect.stringMatching(/^eyJ/) }]);
    } finally {
      listening.close();
      listening.closeAllConnections();
    }
  });
});
