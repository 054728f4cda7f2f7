import { chromiumLaunch } from '@e2ee/chromium';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** A page in a real browser, and everything it complained about. */
export interface Visit {
  readonly page: Page;
  /** What it wrote to the console, its errors, and what its Content-Security-Policy has stopped. */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** Opens pages in a browser of its own, each as a new visitor. */
export async function startBrowser(): Promise<Browser> {
  const { args = [], ...launch } = await chromiumLaunch();
  // A name for this machine that browsers do not take for it.
  return chromium.launch({ ...launch, args: [...args, '--host-resolver-rules=MAP connect.test 127.0.0.1'] });
}

export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext(options);
  const complaints: string[] = [];
  await context.exposeFunction('complain', (text: string) => complaints.push(text));
  await context.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      Reflect.get(globalThis, 'complain')(`policy: ${violatedDirective} ${blockedURI}`),
    ),
  );
  const page = await context.newPage();
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.setDefaultTimeout(5_000);
  await page.goto(url);
  return { page, complaints, close: () => context.close() };
}

/** Types into fields, by their labels, as a keyboard or a paste would: past the scripts of the browser's driver. */
export async function type(page: Page, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(values)) {
    const field = page.getByLabel(label, { exact: true });
    if ((await field.evaluate(({ tagName }) => tagName)) === 'SELECT') {
      await field.selectOption(value);
      continue;
    }
    await field.focus();
    await page.keyboard.insertText(value);
  }
}

/** Chooses a bank, types, and sends. */
export async function connect(
  page: Page,
  bank: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  await page.getByRole('button', { name: bank }).click();
  await type(page, values);
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
}

/** What one of the three views says, line by line. */
export async function hop(page: Page, name: 'page' | 'server' | 'aggregator'): Promise<string> {
  const lines = await page.locator(`#hop-${name} .hop-body`).locator('dt, dd, p').allTextContents();
  return lines.join('\n');
}
