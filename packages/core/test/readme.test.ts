import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

let directory: string;

beforeAll(async () => {
  // Within the package, so that what it imports is found as a user's project finds it.
  directory = await mkdtemp(join(import.meta.dirname, '.readme-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

test('what the README logs holds nothing that is protected', async () => {
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8');
  const [, code] = /^## Logging safely$[\s\S]*?^```ts\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  const file = join(directory, 'logging.ts');
  await writeFile(file, String(code));
  const args = ['--conditions=@e2ee/source', '--import', 'tsx', file];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: join(import.meta.dirname, '../../..'),
  });
  const [logged = '', printed] = stdout.trim().split('\n');
  const body = { amount: 1, payee: '[REDACTED]' };
  expect(JSON.parse(logged)).toMatchObject({ msg: 'payment', req: { method: 'POST', body } });
  expect(printed).toBe("{ amount: 1, payee: '[REDACTED]' }");
  expect(stdout).not.toContain('John');
});
