import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chromiumLaunch } from '@e2ee/chromium';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createConnectServer, type Listening, listen } from '../server/server.js';
import { type Stack, startStack } from '../stack.js';

/* `pnpm screenshots`: every state of the page at the width of a telephone and of a desk, for people to look at. */

const FOLDER = join(import.meta.dirname, '../../../../screenshots');

const SIZES = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
  desktop: { viewport: { width: 1280, height: 900 }, deviceScaleFactor: 1 },
} as const;
const LOOKS = [
  ['phone', 'light'],
  ['desktop', 'light'],
  ['desktop', 'dark'],
] as const;

type Take = (state: string) => Promise<void>;

interface Scene {
  readonly page: Page;
  readonly take: Take;
  readonly stack: Stack;
}

async function main(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER);
  const stack = await startStack();
  const server = await listen(
    createConnectServer({ page: stack.page, aggregatorUrl: stack.aggregatorUrl }).app,
  );
  const { args = [], ...launch } = await chromiumLaunch();
  const browser = await chromium.launch({
    ...launch,
    args: [...args, '--host-resolver-rules=MAP connect.test 127.0.0.1'],
  });
  try {
    for (const [size, colorScheme] of LOOKS) await shoot({ browser, server, stack, size, colorScheme });
  } finally {
    await browser.close();
    await server.close();
    await stack.close();
  }
  process.stdout.write(`The screenshots are in ${FOLDER}\n`);
}

interface Look {
  readonly browser: Browser;
  readonly server: Listening;
  readonly stack: Stack;
  readonly size: keyof typeof SIZES;
  readonly colorScheme: 'light' | 'dark';
}

async function shoot({ browser, server, stack, size, colorScheme }: Look): Promise<void> {
  const context = await browser.newContext({ ...SIZES[size], colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  let number = 0;
  const take: Take = async (state) => {
    number += 1;
    const name = `${String(number).padStart(2, '0')}-${state}-${size}-${colorScheme}.png`;
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: join(FOLDER, name), fullPage: true });
  };
  await page.goto(server.url);
  await good({ page, take, stack });
  await bad({ page, take, stack });
  await page.goto(server.url.replace('127.0.0.1', 'connect.test'));
  await page.getByRole('alert').waitFor();
  await take('insecure');
  await context.close();
}

/** The way to the confirmation. */
async function good({ page, take }: Scene): Promise<void> {
  await page.getByRole('button', { name: 'Banque de Bretagne' }).waitFor();
  await take('banks');
  await page.getByRole('button', { name: 'Banque de Bretagne' }).click();
  await take('empty-form');
  await fill(page, { 'Kind of account': 'pro', 'Customer number': '0012345678', 'Personal code': '0070' });
  await take('typed');
  await send(page);
  await page.getByText('one more thing to be sure').waitFor();
  await take('one-more-thing');
  await fill(page, { 'Code from the text message': '000042' });
  await send(page, 'Confirm');
  await page.getByRole('heading', { name: 'Connected' }).waitFor();
  await take('connected');
  await page.locator('summary').click();
  await take('all-bytes');
  await page.getByRole('button', { name: 'Connect another bank' }).click();
}

/** What goes wrong. */
async function bad({ page, take, stack }: Scene): Promise<void> {
  await page.getByRole('button', { name: 'Banque de Bretagne' }).click();
  await fill(page, { 'Customer number': '12', 'Personal code': '0070' });
  await send(page);
  await take('field-errors');
  await page.getByRole('button', { name: 'Choose another bank' }).click();
  await page.getByRole('button', { name: 'Connecteur de test' }).click();
  const details = { Identifier: 'zoë.müller@example.org', Password: 'wrong-password' };
  await fill(page, details);
  await send(page);
  await page.getByRole('alert').waitFor();
  await take('wrong-password');
  await fill(page, details);
  await page.context().setOffline(true);
  await send(page);
  await page.getByRole('heading', { name: 'You are offline' }).waitFor();
  await take('offline');
  await page.context().setOffline(false);
  await stack.toggleAggregator();
  await send(page);
  await page.getByRole('heading', { name: 'The aggregator cannot be reached' }).waitFor();
  await take('aggregator-down');
  await stack.toggleAggregator();
}

async function fill(page: Page, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(values)) {
    const field = page.getByLabel(label, { exact: true });
    const isList = (await field.evaluate(({ tagName }) => tagName)) === 'SELECT';
    await (isList ? field.selectOption(value) : field.fill(value));
  }
}

async function send(page: Page, name = 'Connect'): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

await main();
