import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const children: ChildProcessByStdio<null, Readable, null>[] = [];
let directory: string;

beforeAll(async () => {
  // Below the repository, so that the packages are found as a user's project finds them.
  directory = await mkdtemp(join(root, 'test', '.readme-'));
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  for (const [, name = '', code = ''] of readme.matchAll(/^```[jt]s (\S+)\n([\s\S]*?)^```$/gm)) {
    await writeFile(join(directory, name), code);
  }
});

afterAll(async () => {
  for (const child of children) child.kill();
  await rm(directory, { recursive: true, force: true });
});

function start(file: string, env: Record<string, string>): Readable {
  const args = ['--conditions=@e2ee/source', '--import', 'tsx', file];
  const child = spawn(process.execPath, args, {
    cwd: directory,
    env: { ...process.env, ...env },
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

test('the server and the client of the README talk encrypted', async () => {
  const [, port] = await outputUntil(start('server.mjs', { PORT: '0' }), /port: (\d+)/);
  const client = start('client.mjs', { API_URL: `http://127.0.0.1:${port}` });
  const [line] = await outputUntil(client, /^\{.*\}$/m);
  expect(JSON.parse(line)).toEqual({
    id: 'ps_1',
    amount: 1999,
    payee: { name: '[REDACTED]', account_number: '[REDACTED]' },
  });
});

test('the server and the client of the README take less than 15 lines each', async () => {
  for (const file of ['server.mjs', 'client.mjs']) {
    const lines = (await readFile(join(directory, file), 'utf8'))
      .split('\n')
      .filter((line) => line.trim() !== '');
    expect(lines.length).toBeLessThan(15);
  }
});
