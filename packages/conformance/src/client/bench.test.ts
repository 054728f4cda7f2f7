import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANARY } from '../server/answers.js';
import { ClientBench, missing } from './bench.js';
import { clientGroups } from './groups.js';
import { makeClientKeys } from './keys.js';
import { reachable, showings, trace } from './secrecy.js';
import type { ClientSubject } from './subject.js';

/** The client of the platform, without any encryption. */
const plain: ClientSubject = {
  name: 'fetch without encryption',
  unsupported: {
    'request interceptors': 'fetch has none',
    'response interceptors': 'fetch has none',
    transformations: 'fetch has none',
    'a last step': 'fetch has none',
    'a retry library': 'fetch has none',
    'errors that can be sent again': 'fetch has none',
    'options of TLS': 'fetch has none',
  },
  open: ({ baseUrl }) => ({
    send: async ({ method, path, headers = {}, body, signal = null }) => {
      const text = typeof body === 'object' ? JSON.stringify(body) : String(body);
      const sent = body === undefined ? {} : { body: text };
      const response = await fetch(baseUrl + path, { method, headers, signal, ...sent });
      return { status: response.status, headers: {}, body: await response.text(), shown: [response] };
    },
    eject: () => {},
    close: () => {},
  }),
};

describe('a client without encryption', () => {
  let bench: ClientBench;
  beforeAll(async () => {
    bench = await ClientBench.start(plain, await makeClientKeys());
  });
  afterAll(() => bench.close());

  const able = Object.entries(clientGroups).map(
    ([group, cases]) => [group, cases.filter((one) => missing(plain, one).length === 0)] as const,
  );

  it.each(able.filter(([, cases]) => cases.length > 0))('fails cases of the group "%s"', async (_, cases) => {
    let failed = 0;
    for (const one of cases.filter((_, i) => i % Math.ceil(cases.length / 4) === 0))
      await bench.run(one).catch(() => {
        failed += 1;
      });
    expect(failed).toBeGreaterThan(0);
  });
});

describe('the search for plaintext', () => {
  it.each<[string, string]>([
    ['as it is', `{"a":"${CANARY}"}`],
    ['in capitals', CANARY.toUpperCase()],
    ['in hexadecimal', Buffer.from(`x${CANARY}`).toString('hex')],
    ['in two bytes each', Buffer.from(CANARY, 'utf16le').toString('latin1')],
    ...[0, 1, 2].flatMap((shift): [string, string][] => [
      [`in base64 after ${shift}`, Buffer.from(`${'"'.repeat(shift)}${CANARY}"`).toString('base64')],
      [`in base64url after ${shift}`, Buffer.from(`${'"'.repeat(shift)}${CANARY}"`).toString('base64url')],
    ]),
  ])('finds it %s', (_, text) => expect(trace(`before ${text} after`)).toBeDefined());

  it('finds nothing where there is nothing', () => expect(trace('{"a":"CANARY-"}')).toBeUndefined());

  it('looks into what errors show, and behind accessors', () => {
    const error = Object.assign(new Error('no'), { config: { data: CANARY } });
    expect(trace(showings(error))).toBeDefined();
    expect(trace(showings(new Error(CANARY)))).toBeDefined();
    expect(trace(showings(new Error('no', { cause: new Error(CANARY) })))).toBeDefined();
    expect(trace(showings(Object.assign(new Error('no'), { toJSON: () => CANARY })))).toBeDefined();
    const hidden = Object.defineProperty({}, 'data', { get: () => CANARY, enumerable: true });
    const quiet = Object.assign(new Error('no'), { response: hidden, toJSON: () => 'no' });
    expect(trace(showings(quiet))).toBeUndefined();
    expect(trace(reachable(quiet))).toBeDefined();
  });
});
