import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const RUN = new URL('../../../scripts/run-typescript.mjs', import.meta.url).href;
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

test('`pnpm connect` prints where the page is, and ends when it is told to', async () => {
  const child = spawn(process.execPath, ['--conditions=@e2ee/source', '--import', RUN, MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  while (!printed.includes('Ctrl+C')) await once(child.stdout, 'data');
  const url = /^Open (http:\/\/127\.0\.0\.1:\d+)$/m.exec(printed)?.[1] ?? '';
  const page = await fetch(url);
  const script = /<script type="module" crossorigin src="([^"]+)"/.exec(await page.text())?.[1];
  const bundle = await (await fetch(url + script)).text();
  expect(bundle).toContain(/aggregator at (\S+);/.exec(printed)?.[1]);
  expect(bundle).not.toMatch(/\beval\(|\bnew Function\b|\binnerHTML\b|localStorage|sessionStorage/);
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
});
