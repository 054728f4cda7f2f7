import { e2ee } from '@e2ee/axios-interceptor';
import { createKeyRing, importKey, powens, remoteJwks, staticKeys } from '@e2ee/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { displayWidth } from '../display-width.js';
import { createPalette } from '../palette.js';
import { LONG_PASSWORD, observe } from './calls.js';
import { checkCall, type Observation } from './checks.js';
import { runAggregator } from './demo.js';
import { renderAggregator } from './render.js';
import type { AggregatorReport } from './report.js';
import { startWorld, type World } from './world.js';

function failures({ steps }: AggregatorReport): string[] {
  return [...new Set(steps.flatMap(({ checks }) => checks.filter(({ ok }) => !ok).map(({ name }) => name)))];
}

describe('the demo of the aggregator', () => {
  let report: AggregatorReport;
  beforeAll(async () => {
    report = await runAggregator();
  });

  test('shows what should happen', () => {
    expect(failures(report)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.steps.map(({ call, status }) => `${call.replace(/\d+$/, ':id')} ${status}`)).toEqual([
      'POST /users/me/connections 201',
      'POST /users/me/connections/:id 200',
      'POST /users/me/connections 201',
      'PUT /users/me/connections/:id 200',
      'POST /users/me/transfers/:id 200',
    ]);
  });

  test('has the values that go wrong easily, as they were typed', () => {
    expect(report.steps.map(({ aggregatorSaw }) => aggregatorSaw)).toEqual(
      report.steps.map(({ typed }) => typed),
    );
    expect(report.steps[0]?.typed).toMatchObject({ login: '0012345678', code: '0070' });
    expect(report.steps[2]?.typed).toMatchObject({ password: expect.stringMatching(/^ {2}\S+ \S+ {2}$/) });
    expect(Buffer.byteLength(LONG_PASSWORD)).toBeGreaterThanOrEqual(1024);
    expect(report.steps[3]?.typed).toEqual({ password: LONG_PASSWORD });
  });

  test('shows three views of each value, in the columns that there are', () => {
    for (const width of [60, 80, 100, 120]) {
      const text = renderAggregator(report, { width, palette: createPalette(false) });
      expect(Math.max(...text.split('\n').map(displayWidth))).toBeLessThanOrEqual(width);
    }
    const text = renderAggregator(report, { width: 100, palette: createPalette(false) });
    expect(text).toMatch(/the user typed +the intermediate server saw +the aggregator confirmed/);
    expect(text).toMatch(/login +"0012345678" +eyJhbGci….{3} +10 characters, ends in "78"/);
    expect(text).toMatch(/otp +"001234" +eyJhbGci….{3} +used, not kept/);
    expect(text).toMatch(/✓ 10 values were typed/);
    expect(text).not.toMatch(/ \n/);
  });
});

describe('the demo of the aggregator fails', () => {
  test('when the user interface has no encryption installed', async () => {
    const report = await runAggregator({ install: () => {} });
    expect(failures(report)).toEqual(
      expect.arrayContaining([
        'one call, which went through',
        'nothing that was typed readable on either side of it',
        'the aggregator saw exactly what was typed',
      ]),
    );
    const text = renderAggregator(report, { width: 100, palette: createPalette(true) });
    expect(text).toContain('\u001B[7m\u001B[31m"0012345678"'); // plaintext on the wire stands out
    expect(text).toMatch(/✗ \d+ of \d+ checks failed/);
  });

  test('when plaintext is sent and accepted', async () => {
    const report = await runAggregator({
      install: () => {},
      encryption: { plaintext: 'accept', onEvent: () => {} },
    });
    expect(failures(report)).toContain('nothing that was typed readable on either side of it');
    expect(failures(report)).not.toContain('the aggregator saw exactly what was typed');
  });

  test('when both ends have forgotten a field', async () => {
    const policy = {
      ...powens.policy,
      'POST /users/:user/connections': { login: { request: 'encrypt', as: 'text' } },
    } as const;
    const report = await runAggregator({
      install: (api, url) =>
        e2ee(api, { profile: { ...powens, policy }, encryptionKeys: remoteJwks(`${url}/publickey`) }),
      encryption: { policy },
    });
    expect(failures(report)).toEqual(
      expect.arrayContaining([
        'nothing that was typed readable on either side of it',
        '3 values encrypted in place to the aggregator, nothing else changed',
      ]),
    );
  });

  test('when values are encrypted as JSON in place of text', async () => {
    const rows = { '*': { request: 'encrypt' }, id_connector: { request: 'none' } } as const;
    const policy = { ...powens.policy, 'POST /users/:user/connections': rows };
    const report = await runAggregator({
      install: (api, url) =>
        e2ee(api, { profile: { ...powens, policy }, encryptionKeys: remoteJwks(`${url}/publickey`) }),
    });
    expect(failures(report)).toContain('the aggregator saw exactly what was typed');
  });

  test('when the values are for somebody else', async () => {
    const stranger = await importKey((await createKeyRing()).jwks().keys[0] ?? {});
    if (stranger.kind !== 'encryption') throw new Error('A key ring publishes public keys only');
    const report = await runAggregator({
      install: (api) => e2ee(api, { profile: powens, encryptionKeys: staticKeys(stranger) }),
    });
    expect(failures(report)).toEqual(expect.arrayContaining(['one call, which went through']));
  });
});

describe('a check finds', () => {
  let world: World;
  let good: Observation;
  beforeAll(async () => {
    world = await startWorld();
    good = await observe(world, {
      name: 'a call',
      method: 'POST',
      path: '/users/me/connections',
      typed: { id_connector: 59, login: '0012345678', password: 'pässwörd' },
    });
  });
  afterAll(() => world.close());

  const failed = (change: Partial<Observation>): string[] =>
    checkCall({ ...good, ...change })
      .filter(({ ok }) => !ok)
      .map(({ name }) => name);

  test('nothing in a good call', () => {
    expect(failed({})).toEqual([]);
  });

  test.each([
    ['a value in the answer', 'pässwörd', 'nothing that was typed readable on either side of it'],
    ['a value in an answer in ASCII', '0012345678', 'nothing that was typed readable on either side of it'],
  ])('%s', (_, value, name) => {
    const [before, behind] = good.exchanges;
    const leaking = before.map(({ request, response }) => ({
      request,
      response: { ...response, body: Buffer.from(JSON.stringify({ value })) },
    }));
    expect(failed({ exchanges: [leaking, behind] })).toEqual([name]);
  });

  test('a log that is not what passed', () => {
    const [entry] = good.passed;
    if (!entry) throw new Error('Nothing passed');
    const request = Buffer.from(String(entry.request).replace('59', '60'));
    expect(failed({ passed: [{ ...entry, request }] })).toContain(
      'what the intermediate server logged is what passed, byte for byte',
    );
  });

  test('a confirmation that says more, or something else', () => {
    const name = 'it confirmed lengths and ends, no more';
    for (const login of [
      { length: 9, ends_with: '78' },
      { length: 10, ends_with: '678' },
      { length: 10, ends_with: '78', value: 'x' },
    ])
      expect(failed({ confirmed: { credentials: { login } } })).toEqual([name]);
    expect(failed({ confirmed: {} })).toEqual([name]);
  });

  test('a call that was made twice, or not at all', () => {
    expect(failed({ handled: [...good.handled, ...good.handled] })).toContain('one call, which went through');
    expect(failed({ exchanges: [[], []], passed: [], handled: [] })).toHaveLength(5);
  });
});
