import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { LONG_PASSWORD } from '../aggregator/calls.js';
import type { Observation } from '../aggregator/checks.js';
import { displayWidth } from '../display-width.js';
import { createPalette } from '../palette.js';
import { observe } from './calls.js';
import { checkPage } from './checks.js';
import { renderConnect } from './render.js';
import type { ConnectReport } from './report.js';
import { runConnect } from './run.js';
import type { PageAfterwards } from './user.js';
import { startWorld, type World } from './world.js';

test('leaves no browser behind when something else does not start', async () => {
  const close = vi.fn(async () => {});
  const world = startWorld({
    startBrowser: () => Promise.resolve({ close } as never),
    startStack: () => Promise.reject(new Error('no page')),
  });
  await expect(world).rejects.toThrow('no page');
  expect(close).toHaveBeenCalledOnce();
});

const noBrowser = (): Promise<never> => Promise.reject(new Error('no browser\nhere'));

function failures({ steps }: ConnectReport): string[] {
  return steps.flatMap(({ checks }) => checks.filter(({ ok }) => !ok).map(({ name }) => name));
}

describe.each([
  ['in a browser', undefined],
  ['without one', noBrowser],
] as const)('the demo of the page, %s', (_, startBrowser) => {
  let report: ConnectReport;
  beforeAll(async () => {
    report = await runConnect(startBrowser ? { startBrowser } : {});
  });

  test('shows what should happen', () => {
    expect(failures(report)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.place.kind).toBe(startBrowser ? 'node' : 'browser');
    expect(report.steps.map(({ call, status }) => `${call.replace(/\d+$/, ':id')} ${status}`)).toEqual([
      'POST /api/users/me/connections 201',
      'POST /api/users/me/connections/:id 200',
      'POST /api/users/me/connections 201',
      'POST /api/users/me/connections 201',
    ]);
  });

  test('has the values that go wrong easily, as they were typed', () => {
    expect(report.steps.map(({ aggregatorSaw }) => aggregatorSaw)).toEqual(
      report.steps.map(({ typed }) => typed),
    );
    expect(report.steps[0]?.typed).toMatchObject({ login: '0012345678', code: '0070' });
    expect(report.steps[3]?.typed).toMatchObject({ password: LONG_PASSWORD });
  });

  test('shows three views of each value, in the columns that there are', () => {
    for (const width of [60, 80, 100, 120]) {
      const text = renderConnect(report, { width, palette: createPalette(false) });
      expect(Math.max(...text.split('\n').map(displayWidth))).toBeLessThanOrEqual(width);
    }
    const text = renderConnect(report, { width: 100, palette: createPalette(false) });
    expect(text).toMatch(/typed in the page +logged by its server +confirmed by the aggregator/);
    expect(text).toMatch(/login +"0012345678" +eyJhbGci….{3} +10 characters, ends in "78"/);
    expect(text.includes('No browser can be started here (no browser)')).toBe(startBrowser !== undefined);
    expect(text).toMatch(/✓ 9 values were typed/);
  });
});

describe('a check of the page finds', () => {
  let world: World;
  let good: Observation;
  let page: PageAfterwards;
  beforeAll(async () => {
    world = await startWorld();
    const bank = { id: 59, name: 'Connecteur de test' };
    const values = { login: '0012345678', password: '"pässwörd"' };
    const { observation, seen } = await observe(world, { name: 'a call', bank, values });
    good = observation;
    if (seen === null) throw new Error('There is no browser');
    page = seen;
  });
  afterAll(() => world.close());

  const failed = (change: Partial<PageAfterwards>): string[] =>
    checkPage(good, { ...page, ...change })
      .filter(({ ok }) => !ok)
      .map(({ name }) => name);

  test('nothing in a good call', () => {
    expect(failed({})).toEqual([]);
  });

  test.each<[string, Partial<PageAfterwards>, string]>([
    [
      'a field that holds something else',
      { fields: { login: '12345678' } },
      'the fields of the page held what was typed',
    ],
    ['a value that is left', { left: '["0012345678"]' }, 'after sending, nothing of it is left in the page'],
    [
      'a value that is left in JSON in JSON',
      { left: JSON.stringify([JSON.stringify(['"pässwörd"'])]) },
      'after sending, nothing of it is left in the page',
    ],
    [
      'another log',
      { logged: 'POST\n\n{}' },
      'the page shows the bytes that its server logged, and the confirmation',
    ],
    [
      'no confirmation',
      { confirmed: '' },
      'the page shows the bytes that its server logged, and the confirmation',
    ],
    ['a complaint', { complaints: ['refused'] }, 'nothing on its console, nothing stopped by its policy'],
  ])('%s', (_, change, name) => {
    expect(failed(change)).toEqual([name]);
  });
});
