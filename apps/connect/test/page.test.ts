import type { HandledCall } from '@e2ee-apps/aggregator';
import type { Browser, BrowserContextOptions, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Failure } from '../src/page/failure.js';
import { messageFor } from '../src/page/messages.js';
import { type ConnectServer, createConnectServer, type Listening, listen } from '../src/server/server.js';
import { type Stack, startStack } from '../src/stack.js';
import { accessibilityFaults, overflow } from './accessibility.js';
import { connect, hop, startBrowser, type, type Visit, visit } from './browser.js';

/* What a person meets in the page: each way through it, and everything that can go wrong, in a real browser. */

const BANK = 'Connecteur de test';
const DETAILS = { Identifier: 'zoë', Password: 'pässwörd-0070' };
const OTHER_BANK = 'Banque de Bretagne';
const OTHER_DETAILS = { 'Kind of account': 'par', 'Customer number': '0012345678', 'Personal code': '0070' };
const CONNECTIONS = '**/api/users/me/connections';

const handled: HandledCall[] = [];
let stack: Stack;
let connectServer: ConnectServer;
let server: Listening;
let browser: Browser;
const visits: Visit[] = [];

beforeAll(async () => {
  [stack, browser] = await Promise.all([
    startStack({ onHandled: (call) => handled.push(structuredClone(call)) }),
    startBrowser(),
  ]);
  connectServer = createConnectServer({ page: stack.page, aggregatorUrl: stack.aggregatorUrl });
  server = await listen(connectServer.app);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await stack?.close();
});

/** What browsers write to the console by themselves when a call fails. */
const FAILED_CALL = /^console: Failed to load resource/;

afterEach(async () => {
  const complaints = visits.flatMap((visited) => visited.complaints);
  await Promise.all(visits.splice(0).map((visited) => visited.close()));
  expect(complaints.filter((complaint) => !FAILED_CALL.test(complaint))).toEqual([]);
});

async function open(options: BrowserContextOptions = {}, url = server.url): Promise<Page> {
  const visited = await visit(browser, url, options);
  visits.push(visited);
  return visited.page;
}

/** Lets the page know one bank only, which asks for one thing. */
async function withOneField(
  page: Page,
  field: { readonly name: string; readonly label: string },
): Promise<void> {
  const fields = [{ ...field, type: 'text', required: true }];
  const json = { connectors: [{ id: 59, name: BANK, fields }] };
  await page.route('**/api/connectors', (route) => route.fulfill({ json }));
  await page.reload();
}

async function expectMessage(page: Page, code: string, by: Failure['by'] = 'answer'): Promise<void> {
  const { title, what, next } = messageFor({ by, code });
  const alert = page.getByRole('alert');
  await alert.getByRole('heading', { name: title, exact: true }).waitFor();
  for (const text of [what, next]) expect(await alert.textContent()).toContain(text);
  expect(await alert.evaluate((element) => element === document.activeElement)).toBe(true);
}

async function inputs(page: Page): Promise<string[]> {
  return page.locator('input').evaluateAll((all) => all.map((input) => (input as HTMLInputElement).value));
}

async function expectConnected(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Connected', exact: true }).waitFor();
}

describe('the page', () => {
  test('shows what is typed while it is typed, with passwords behind dots until they are shown', async () => {
    const page = await open();
    await page.getByRole('button', { name: BANK }).click();
    await type(page, DETAILS);
    expect(await hop(page, 'page')).toBe(`Identifier\nzoë\nPassword\n${'•'.repeat(13)}\nBirthday\nempty`);
    await page.getByRole('button', { name: 'Show Password' }).click();
    expect(await hop(page, 'page')).toContain('pässwörd-0070');
    expect(await page.getByLabel('Password', { exact: true }).getAttribute('type')).toBe('text');
    await page.getByRole('button', { name: 'Hide Password' }).click();
    expect(await hop(page, 'page')).not.toContain('pässwörd-0070');
    expect(await hop(page, 'server')).toBe('Nothing has arrived.');
  });

  test('has emptied its fields before there is an answer', async () => {
    const page = await open();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(CONNECTIONS, async (route) => {
      await held;
      await route.continue();
    });
    await connect(page, BANK, DETAILS);
    await page.getByRole('button', { name: 'Encrypting and sending' }).waitFor();
    expect(await inputs(page)).toEqual(['', '', '']);
    expect(await hop(page, 'page')).toBe('Identifier\nerased\nPassword\nerased');
    release();
    await expectConnected(page);
    expect(handled.at(-1)?.body).toEqual({ id_connector: 59, login: 'zoë', password: 'pässwörd-0070' });
  });

  test('gives no browser a reason to keep the values', async () => {
    const page = await open();
    await page.getByRole('button', { name: BANK }).click();
    const attributes = await page
      .locator('input')
      .evaluateAll((all) =>
        all.map((input) => ['name', 'autocomplete', 'spellcheck'].map((name) => input.getAttribute(name))),
      );
    expect(attributes).toEqual(Array(3).fill([null, 'off', 'false']));
  });

  test('forgets what was typed when it is left and come back to', async () => {
    const page = await open();
    await page.getByRole('button', { name: BANK }).click();
    await type(page, DETAILS);
    await page.getByRole('button', { name: 'Show Password' }).click();
    expect(await hop(page, 'page')).toContain('pässwörd-0070');
    // What a browser does when it keeps a page for the way back: the same document is there again, with its fields.
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
    expect(await inputs(page)).toEqual(['', '', '']);
    expect(await hop(page, 'page')).toBe('Nothing is typed yet.');
  });

  test('forgets what was typed when another bank is chosen, also when there are none to choose from', async () => {
    const page = await open();
    await page.getByRole('button', { name: BANK }).click();
    await type(page, DETAILS);
    await page.getByRole('button', { name: 'Show Password' }).click();
    const fields = await page.locator('input').elementHandles();
    await page.route('**/api/connectors', (route) => route.abort());
    await page.getByRole('button', { name: 'Choose another bank' }).click();
    await page.getByRole('alert').waitFor();
    expect(await page.locator('form').count()).toBe(0);
    expect(await hop(page, 'page')).toBe('Nothing is typed yet.');
    for (const field of fields) expect(await field.inputValue()).toBe('');
  });

  test('forgets what was chosen while an answer was due', async () => {
    const page = await open();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(CONNECTIONS, async (route) => {
      await held;
      await route.continue();
    });
    await connect(page, OTHER_BANK, OTHER_DETAILS);
    const list = await page.locator('select').elementHandle();
    await list?.selectOption('pro');
    release();
    await page.getByText('one more thing to be sure').waitFor();
    expect(await list?.evaluate((element) => (element as HTMLSelectElement).value)).toBe('');
  });

  test('listens to the log while it is looked at, and hears then what it has missed', async () => {
    const page = await open();
    const look = (state: 'hidden' | 'visible'): Promise<void> =>
      page.evaluate((value) => {
        Object.defineProperty(document, 'visibilityState', { value, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, state);
    const isLog = (request: Request): boolean => request.url().includes('/demo/log');
    await page.getByRole('button', { name: BANK }).waitFor();
    const ended = page.waitForEvent('requestfailed', isLog);
    await look('hidden');
    await ended;
    await connect(page, BANK, DETAILS);
    await expectConnected(page);
    expect(await hop(page, 'server')).toBe('Nothing has arrived.');
    await look('visible');
    await page.locator('#hop-server dl').waitFor();
    expect(await hop(page, 'server')).toMatch(/login\neyJ.*bytes\npassword\neyJ/);
  });

  test('works with the keyboard alone', async () => {
    const page = await open();
    await page.getByRole('button', { name: OTHER_BANK }).waitFor();
    const press = (...keys: readonly string[]): Promise<void> =>
      keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
    await press('Tab', 'Tab', 'Enter'); // the second bank; then the list, the number, the code and its button
    await press('Tab', 'P', 'Tab');
    await page.keyboard.type('0012345678');
    await press('Tab');
    await page.keyboard.type('0070');
    await press('Tab', 'Space', 'Space', 'Enter'); // showing and hiding the code sends nothing; nor does Enter there
    await press('Shift+Tab', 'Enter');
    await page.getByRole('heading', { name: OTHER_BANK }).waitFor();
    await page.getByText('one more thing to be sure').waitFor();
    await press('Tab');
    await page.keyboard.type('001234');
    await press('Enter');
    await expectConnected(page);
    expect(handled.at(-1)?.body).toEqual({ otp: '001234' });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Connected');
    await press('Tab', 'Enter');
    await page.getByRole('button', { name: BANK }).waitFor();
  });

  test('encrypts a field also when it is called like a member that the API leaves open', async () => {
    const page = await open();
    await withOneField(page, { name: 'active', label: 'Secret' });
    const sent = page.waitForRequest(CONNECTIONS);
    await connect(page, BANK, { Secret: 'for the bank only' });
    expect((await sent).postDataJSON()).toEqual({
      active: expect.stringMatching(/^eyJ[\w-]+(\.[\w-]+){4}$/),
      id_connector: 59,
    });
  });
});

describe('before anything is sent', () => {
  test('a field that is not as the bank wants it is named, and the keyboard is led there', async () => {
    const page = await open();
    const sent: string[] = [];
    await page.getByRole('button', { name: OTHER_BANK }).click();
    page.on('request', (request) => sent.push(request.url()));
    await type(page, { 'Customer number': '12', 'Personal code': '0070' });
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    for (const [label, problem] of [
      ['Kind of account', 'Choose your kind of account'],
      ['Customer number', 'Enter it with 8 to 11 digits'],
    ] as const) {
      const field = page.getByLabel(label, { exact: true });
      expect(await field.getAttribute('aria-invalid')).toBe('true');
      const described = await field.evaluate((element) =>
        (element.getAttribute('aria-describedby') ?? '')
          .split(' ')
          .map((id) => document.getElementById(id)?.textContent),
      );
      expect(described).toContain(problem);
    }
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('field-website');
    expect(await page.getByLabel('Personal code', { exact: true }).inputValue()).toBe('0070');
    await type(page, { 'Kind of account': 'par', 'Customer number': '345678' });
    expect(await page.locator('[aria-invalid]').count()).toBe(0);
    expect(sent).toEqual([]);
  });

  test('being offline is said, and what was typed is kept until it can be sent', async () => {
    const page = await open();
    await page.getByRole('button', { name: BANK }).click();
    await page.context().setOffline(true);
    await type(page, DETAILS);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expectMessage(page, 'offline', 'page');
    expect(await page.getByRole('alert').textContent()).toContain('What you typed is still here');
    expect(await inputs(page)).toEqual(['zoë', 'pässwörd-0070', '']);
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expectConnected(page);
  });
});

describe('what goes wrong is said in words', () => {
  test('whatever the answer says, and never that nothing was sent', async () => {
    const page = await open();
    await withOneField(page, { name: 'login', label: 'Identifier' });
    await page.getByRole('button', { name: BANK }).click();
    let json: object = {};
    await page.route(CONNECTIONS, (route) => route.fulfill({ status: 400, json }));
    for (const code of ['wrongpass', 'tooLarge', 'notFound', 'offline', 'keys_unavailable', 'constructor']) {
      json = { code };
      await page.getByLabel('Identifier').fill('zoë');
      await page.keyboard.press('Enter');
      await expectMessage(page, code);
      expect(await inputs(page)).toEqual(['']);
      const told = await page.getByRole('alert').textContent();
      expect(told).toMatch(/Nothing was readable on the way.*erased from this page/);
    }
  });

  test('beside the field, where the aggregator names one', async () => {
    const page = await open();
    const json = { code: 'invalidValue', description: 'login …', field: 'login' };
    await page.route(CONNECTIONS, (route) => route.fulfill({ status: 400, json }));
    await connect(page, BANK, DETAILS);
    await expectMessage(page, 'invalidValue');
    expect(await page.getByLabel('Identifier').getAttribute('aria-invalid')).toBe('true');
  });

  test('a wrong password, and then the right one', async () => {
    const page = await open();
    await connect(page, BANK, { ...DETAILS, Password: 'wrong-password' });
    await expectMessage(page, 'wrongpass');
    expect(await hop(page, 'server')).toMatch(/login\neyJ.*bytes\npassword\neyJ/);
    expect(await hop(page, 'aggregator')).toBe('It confirmed nothing.');
    await type(page, DETAILS);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expectConnected(page);
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  test('a wrong code, and then the right one', async () => {
    const page = await open();
    await connect(page, OTHER_BANK, OTHER_DETAILS);
    for (const [code, expected] of [
      ['000000', () => expectMessage(page, 'wrongpass')],
      ['000001', () => expectConnected(page)],
    ] as const) {
      await type(page, { 'Code from the text message': code });
      await page.getByRole('button', { name: 'Confirm' }).click();
      await expected();
    }
    expect(await hop(page, 'aggregator')).toMatch(/Customer number\n10 characters, ends in 78/);
    expect(await hop(page, 'aggregator')).toMatch(/Code from the text message\nused, not kept/);
  });

  test('a key that is revoked is replaced without a word; one more, right after, is not', async () => {
    const page = await open();
    await connect(page, BANK, DETAILS);
    await expectConnected(page);
    await stack.revokeKey();
    await page.getByRole('button', { name: 'Connect another bank' }).click();
    await connect(page, BANK, DETAILS);
    await expectConnected(page);
    expect(await hop(page, 'server')).toContain('Sent twice');
    await stack.revokeKey();
    await page.getByRole('button', { name: 'Connect another bank' }).click();
    await connect(page, BANK, DETAILS);
    await expectMessage(page, 'invalidEncryptionKey');
  });

  test('an aggregator that is down: without its key, with it, and before a bank is chosen', async () => {
    const [warm, cold] = [await open(), await open()];
    await connect(warm, BANK, DETAILS);
    await expectConnected(warm);
    await warm.getByRole('button', { name: 'Connect another bank' }).click();
    await warm.getByRole('button', { name: BANK }).click();
    await cold.getByRole('button', { name: BANK }).click();
    await stack.toggleAggregator();
    try {
      for (const [page, code, by] of [
        [warm, 'aggregator_unreachable', 'answer'],
        [cold, 'keys_unavailable', 'page'],
      ] as const) {
        await type(page, DETAILS);
        await page.getByRole('button', { name: 'Connect', exact: true }).click();
        await expectMessage(page, code, by);
      }
      const late = await open();
      const { title } = messageFor({ by: 'answer', code: 'aggregator_unreachable' });
      await late.getByRole('heading', { name: title }).waitFor();
      await stack.toggleAggregator();
      await late.getByRole('button', { name: 'Try again' }).click();
      await late.getByRole('button', { name: BANK }).waitFor();
    } finally {
      if (!stack.isUp) await stack.toggleAggregator();
    }
  });

  test('our own server that is down', async () => {
    const own = await listen(
      createConnectServer({ page: stack.page, aggregatorUrl: stack.aggregatorUrl }).app,
    );
    const page = await open({}, own.url);
    await page.getByRole('button', { name: BANK }).click();
    await own.close();
    await type(page, DETAILS);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expectMessage(page, 'server_unreachable', 'page');
  });

  test('a session that has ended, and a new one', async () => {
    const page = await open();
    await page.getByRole('button', { name: BANK }).click();
    connectServer.sessions.endAll();
    await type(page, DETAILS);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expectMessage(page, 'session_expired');
    await page.getByRole('button', { name: 'Load the page again' }).click();
    await connect(page, BANK, DETAILS);
    await expectConnected(page);
  });
});

describe('where the page cannot protect anything', () => {
  test('by an address that is not secure there is no form, and no request but for the page itself', async () => {
    const url = server.url.replace('127.0.0.1', 'connect.test');
    const context = await browser.newContext();
    const page = await context.newPage();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(url);
    await page.getByRole('heading', { name: messageFor({ by: 'page', code: 'insecure' }).title }).waitFor();
    expect(await page.evaluate(() => [isSecureContext, typeof crypto.subtle])).toEqual([false, 'undefined']);
    expect(await page.locator('form, input, select').count()).toBe(0);
    expect(requests.filter((path) => !/^\/$|^\/assets\//.test(path))).toEqual([]);
    expect(await accessibilityFaults(page)).toEqual([]);
    await context.close();
  });

  test('without JavaScript there is no form either, and a person is told why', async () => {
    const page = await open({ javaScriptEnabled: false });
    expect(await page.locator('noscript').textContent()).toContain('This page needs JavaScript');
    expect(await page.locator('form, input, select').count()).toBe(0);
  });
});

describe('everybody can use it', () => {
  test('no state has a fault that axe-core finds, in light or dark, or is wider than a small telephone', {
    timeout: 30_000,
  }, async () => {
    const page = await open({ viewport: { width: 320, height: 640 } });
    const found: Record<string, unknown> = {};
    const look = async (state: string): Promise<void> => {
      const faults = [...(await accessibilityFaults(page)), await overflow(page)];
      if (faults.length > 1 || faults[0] !== 0) found[state] = faults;
    };
    await page.getByRole('button', { name: OTHER_BANK }).waitFor();
    await look('the banks');
    await page.getByRole('button', { name: OTHER_BANK }).click();
    await look('an empty form');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await look('fields with problems');
    await type(page, { ...OTHER_DETAILS, 'Personal code': '0000' });
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expectMessage(page, 'wrongpass');
    await page.locator('summary').click();
    await look('a failure');
    await type(page, OTHER_DETAILS);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByText('one more thing to be sure').waitFor();
    await look('the second step');
    await type(page, { 'Code from the text message': '001234' });
    await page.getByRole('button', { name: 'Confirm' }).click();
    await expectConnected(page);
    await look('the end');
    expect(found).toEqual({});
  });

  test('what can be touched is large enough', async () => {
    const page = await open({ viewport: { width: 390, height: 844 } });
    await page.getByRole('button', { name: BANK }).click();
    const heights = await page
      .locator('button, input, select, summary')
      .evaluateAll((all) => all.map((element) => element.getBoundingClientRect().height));
    expect(heights.length).toBeGreaterThanOrEqual(6);
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(44);
  });
});
