import type { HandledCall } from '@e2ee-apps/aggregator';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack } from '../src/stack.js';
import { connect, hop, startBrowser, type, type Visit, visit } from './browser.js';
import { type ByteRecorder, startByteRecorder } from './byte-recorder.js';
import { type ConnectProcess, startConnectProcess } from './connect-process.js';
import { memoryOf } from './process-memory.js';
import { spellings, spellingsIn } from './spellings.js';

/*
 * A person types credentials into the real page, in a real browser; its server is a process of its own. Whatever that server
 * received, logged or remembers must not hold them.
 */

/** Distinct enough not to be anywhere by chance. */
const LOGIN = '007 zoë "quoted" \\ back\\slash e\u0301 \u{1f469}\u200d\u{1f467} 例え <b>&amp;%20';
const PASSWORD =
  `  0070 pässwörd-日本語-\u{1f511} ${'correct horse battery staple '.repeat(40)}`.slice(0, 1010) +
  '  tail  ';
const CANARY = 'battery staple correct horse';

const handled: HandledCall[] = [];
let stack: Stack;
let server: ConnectProcess;
let recorder: ByteRecorder;
let browser: Browser;
let visited: Visit;
let page: Page;

beforeAll(async () => {
  [stack, browser] = await Promise.all([
    startStack({ onHandled: (call) => handled.push(structuredClone(call)) }),
    startBrowser(),
  ]);
  server = await startConnectProcess(stack.page, stack.aggregatorUrl);
  recorder = await startByteRecorder(server.port);
  visited = await visit(browser, recorder.url);
  page = visited.page;
});
afterAll(async () => {
  await browser?.close();
  await recorder?.close();
  await server?.close();
  await stack?.close();
});

describe('credentials that were typed and sent', () => {
  let historyBefore: number;

  beforeAll(async () => {
    historyBefore = await page.evaluate(() => history.length);
    await connect(page, 'Connecteur de test', { Identifier: LOGIN, Password: PASSWORD });
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
  });

  test('reach the aggregator exactly as they were typed', () => {
    expect(handled.map(({ body }) => body)).toEqual([{ login: LOGIN, password: PASSWORD, id_connector: 59 }]);
    expect(Buffer.byteLength(PASSWORD)).toBeGreaterThan(1024);
  });

  test('are nowhere in the bytes that the intermediate server received, in no spelling', () => {
    const bytes = recorder.received();
    expect(bytes.toString('latin1')).toContain('POST /api/users/me/connections');
    expect(bytes.toString('latin1').match(/eyJ[\w-]+(?:\.[\w-]+){4}/g)).toHaveLength(2);
    for (const value of [LOGIN, PASSWORD, CANARY]) expect(spellingsIn(bytes, value)).toEqual([]);
  });

  test('are nowhere in what it logged and printed', async () => {
    const whole = await page.locator('#hop-server pre').textContent();
    expect(whole).toMatch(/^POST \/api\/users\/me\/connections HTTP\/1\.1/);
    const log = Buffer.from(`${whole}${server.output()}`);
    for (const value of [LOGIN, PASSWORD, CANARY]) expect(spellingsIn(log, value)).toEqual([]);
  });

  test.runIf(process.platform === 'linux')('are nowhere in the memory of its process', async () => {
    const tokens =
      recorder
        .received()
        .toString('latin1')
        .match(/eyJ[\w-]+(?:\.[\w-]+){4}/g) ?? [];
    const inMemory = new Set<string>();
    for await (const piece of memoryOf(server.pid)) {
      if (tokens.some((token) => piece.includes(token.slice(-40)))) inMemory.add('the ciphertext');
      for (const value of [LOGIN, CANARY])
        for (const spelling of spellingsIn(piece, value)) inMemory.add(`${value} in ${spelling}`);
    }
    expect([...inMemory]).toEqual(['the ciphertext']); // so the search finds what is there
  });

  test('are gone from the page: no field, no storage, no history, no address, nothing on the console', async () => {
    expect(await hop(page, 'page')).toBe('Identifier\nerased\nPassword\nerased');
    const left = await page.evaluate(async () => ({
      text: document.documentElement.outerHTML,
      inputs: [...document.querySelectorAll('input')].map(({ value }) => value),
      storage: [localStorage.length, sessionStorage.length],
      databases: (await indexedDB.databases()).length,
      caches: (await caches.keys()).length,
      cookie: document.cookie,
      history: history.length,
      state: history.state,
      name: window.name,
    }));
    expect(left).toMatchObject({
      inputs: [],
      storage: [0, 0],
      databases: 0,
      caches: 0,
      cookie: '',
      history: historyBefore,
      state: null,
      name: '',
    });
    for (const value of [LOGIN, PASSWORD, CANARY])
      expect(spellingsIn(Buffer.from(left.text), value)).toEqual([]);
    expect(page.url()).toBe(`${recorder.url}/`);
    expect(visited.complaints).toEqual([]);
  });

  test('are gone from the memory of the page once the garbage is collected', async () => {
    const session = await page.context().newCDPSession(page);
    await page.evaluate(() => Reflect.set(globalThis, 'control', ['kept', 'in', 'memory'].join('-')));
    const heap = await heapOf(session);
    expect(heap).toContain('kept-in-memory'); // so the search finds what is there
    for (const part of ['"quoted" \\ back', CANARY]) expect(heap).not.toContain(inJson(part));
  });

  test('are confirmed by their lengths and their ends', async () => {
    const length = [...PASSWORD].length;
    expect(await hop(page, 'aggregator')).toBe(
      `Identifier\n${[...LOGIN].length} characters, ends in 20\nPassword\n${length} characters, ends in   `,
    );
  });
});

describe('what a bank asks for', () => {
  test('keeps its zeros, also in the second step', async () => {
    await page.getByRole('button', { name: 'Connect another bank' }).click();
    await connect(page, 'Banque de Bretagne', {
      'Kind of account': 'pro',
      'Customer number': '0012345678',
      'Personal code': '0070',
    });
    await page.getByText('Your bank wants one more thing').waitFor();
    await type(page, { 'Code from the text message': '000042' });
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
    expect(handled.slice(-2).map(({ body }) => body)).toEqual([
      { website: 'pro', login: '0012345678', code: '0070', id_connector: 33 },
      { otp: '000042' },
    ]);
    expect(spellingsIn(recorder.received(), '0012345678')).toEqual([]);
    expect(visited.complaints).toEqual([]);
  });
});

test('the search finds a text in each spelling, wherever it begins', () => {
  for (const [name, spelling] of spellings(LOGIN))
    expect(spellingsIn(Buffer.concat([Buffer.from('{"x":"'), spelling, Buffer.from('"}')]), LOGIN)).toContain(
      name,
    );
  for (const before of ['', 'a', 'ab', 'abc']) {
    const encoded = Buffer.from(Buffer.from(`${before}${LOGIN}after`).toString('base64'));
    expect(spellingsIn(encoded, LOGIN)).not.toEqual([]);
  }
});

async function heapOf(session: CDPSession): Promise<string> {
  const chunks: string[] = [];
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  return chunks.join('');
}

/** As heap snapshots write it. */
function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
