import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { chromium } from 'playwright';
import { chromiumLaunch } from '../packages/chromium/src/index.js';

/* After `pnpm run docs:build`: pages of the site at the width of a telephone and of a desk, for people to look at. */

const root = join(import.meta.dirname, '..');
const folder = join(root, 'screenshots/docs');
const PAGES = ['index', 'start/server', 'policy', 'errors', 'adapters/nest', 'reference/@e2ee/core', 'keys'];
const SIZES = [
  { width: 390, height: 844 },
  { width: 1280, height: 900 },
];

await mkdir(folder, { recursive: true });
const site = express().use(express.static(join(root, 'docs/.vitepress/dist')));
const server = site.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo; // a TCP server has no other kind of address
const browser = await chromium.launch(await chromiumLaunch());
try {
  for (const viewport of SIZES) {
    const page = await browser.newPage({ viewport });
    for (const name of PAGES) {
      await page.goto(`http://127.0.0.1:${port}/${name}.html`);
      await page.screenshot({ path: join(folder, `${name.replaceAll('/', '-')}-${viewport.width}.png`) });
      const wider = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
      if (wider > 0) console.log(`${name} is ${wider} px wider than ${viewport.width}`);
    }
  }
} finally {
  await browser.close();
  server.close();
}
console.log(`The screenshots are in ${folder}`);
