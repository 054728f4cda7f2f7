import { createE2eeServer, createKeyRing, type KeyRing, type RemoteJwks, remoteJwks } from '@e2ee/core';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { describe, expect, it } from 'vitest';
import { keyRing, profile, start } from '../test/bank.js';
import { subjects } from '../test/subjects.js';

const EMPTY = { jwks: () => ({ keys: [] }), describe: () => [], find: () => undefined } as unknown as KeyRing;

/** A remote set in some state. */
function remote(state: ReturnType<RemoteJwks['status']>['state']): RemoteJwks {
  return { status: () => ({ url: 'https://acme.example/jwks', state, keys: 0, failures: 0 }) } as RemoteJwks;
}

describe.each(subjects)('the health indicator, $name:', (subject) => {
  const { e2ee } = subject.nest;
  const { E2eeHealthIndicator } = e2ee;

  it('is up with a published key, and shows states without any key', async () => {
    const { app } = await start(subject, {});
    const result = app.get(E2eeHealthIndicator).isHealthy('encryption');
    expect(result).toEqual({ encryption: { status: 'up', keys: keyRing.describe() } });
    expect(result.encryption.keys).toMatchObject([{ state: 'active' }]);
    const { n } = keyRing.jwks().keys[0] ?? {};
    expect(JSON.stringify(result)).not.toContain(n);
  });

  it('is down without a published key', async () => {
    const { app } = await start(subject, { options: { keyRing: EMPTY } });
    const indicator = app.get(E2eeHealthIndicator);
    expect(indicator.isHealthy('e2ee')).toEqual({ e2ee: { status: 'down', keys: [] } });
    expect(indicator.isHealthy('e2ee', { keyRing }).e2ee.status).toBe('up');
  });

  it.each([
    ['empty', 'up'],
    ['fresh', 'up'],
    ['stale', 'up'],
    ['unavailable', 'down'],
  ] as const)('with a remote set that is %s is %s', async (state, status) => {
    const { app } = await start(subject, {});
    const sources = { remote: [remote('fresh'), remote(state)] };
    const { e2ee: details } = app.get(E2eeHealthIndicator).isHealthy('e2ee', sources);
    expect(details).toMatchObject({ status, remote: [{ state: 'fresh' }, { state }] });
  });

  it('refuses to be up without a key ring to look at: a server end made beforehand does not show its own', async () => {
    const server = createE2eeServer({ profile, keyRing, onEvent: () => {} });
    const { app } = await start(subject, { e2ee: e2ee.E2eeModule.forRoot(server) });
    const indicator = app.get(E2eeHealthIndicator);
    for (const sources of [undefined, {}, { remote: [remote('fresh')] }])
      expect(() => indicator.isHealthy('e2ee', sources)).toThrow(
        expect.objectContaining({ code: 'option_invalid', message: expect.stringMatching('`keyRing`') }),
      );
    expect(indicator.isHealthy('e2ee', { keyRing }).e2ee.status).toBe('up');
    expect(indicator.isHealthy('e2ee', { keyRing: EMPTY }).e2ee.status).toBe('down');
  });
});

it('is what terminus wants', async () => {
  const subject = subjects[0] as (typeof subjects)[number]; // terminus 12 goes with Nest 12
  const { app } = await start(subject, { imports: [TerminusModule.forRoot({ logger: false })] });
  const indicator = app.get(subject.nest.e2ee.E2eeHealthIndicator);
  const health = await app.resolve(HealthCheckService);
  const result = await health.check([() => indicator.isHealthy('encryption')]);
  expect(result).toMatchObject({ status: 'ok', info: { encryption: { status: 'up' } } });
  const source = remoteJwks('https://127.0.0.1:1/jwks');
  await source.current().catch(() => {});
  const sources = { keyRing: await createKeyRing(), remote: [source] };
  const down = health.check([() => indicator.isHealthy('encryption', sources)]);
  await expect(down).rejects.toMatchObject({ status: 503 });
});
