import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { type RemoteJwks, remoteJwks } from './remote-jwks.js';

/* The page's own fetch, over a socket, from a server of another origin (test/key-server.ts). */

const server = inject('keyServer');
const [first, second] = RSA;

async function publish(name: string, ...keys: readonly object[]): Promise<void> {
  await fetch(`${server}/keys/${name}`, { method: 'PUT', body: JSON.stringify({ keys }) });
}

async function answersOf(name: string): Promise<unknown> {
  return (await fetch(`${server}/seen/${name}`)).json();
}

function open(path: string, options: { readonly timeout?: number } = {}): RemoteJwks {
  const source = remoteJwks(`${server}${path}`, { cooldown: 0, ...options });
  onTestFinished(() => source.close());
  return source;
}

const kidOf = async (source: RemoteJwks): Promise<string> => (await source.current()).kid;

describe('remoteJwks in a page', () => {
  it('fetches the keys of another origin once, and follows a rotation when told', async () => {
    await publish('rotated', { ...first.publicJwk, kid: 'one' });
    const source = open('/keys/rotated');
    expect(await Promise.all([kidOf(source), kidOf(source)])).toEqual(['one', 'one']);
    await publish('rotated', { ...second.publicJwk, kid: 'two' });
    expect(await kidOf(source)).toBe('one');
    await source.refresh();
    expect(await kidOf(source)).toBe('two');
    expect(await answersOf('rotated')).toEqual([200, 200]);
  });

  it('asks again with the ETag, which takes a preflight, and a 304 confirms the set', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    await publish('confirmed', { ...first.publicJwk, kid: 'one' });
    const source = open('/keys/confirmed');
    await source.current();
    vi.advanceTimersByTime(600_000);
    await source.refresh();
    expect(source.status()).toMatchObject({ state: 'fresh', kid: 'one', age: 0, failures: 0 });
    expect(await answersOf('confirmed')).toEqual([200, 304]);
  });

  it.each(['/redirect', '/cut-off', '/large', '/for-no-other-origin'])(
    'is without keys where the server answers %s',
    async (path) => {
      expect(await errorOf(open(path).current())).toMatchObject({ code: 'keys_unavailable', status: 503 });
    },
  );

  it('gives up at the deadline', async () => {
    const error = await errorOf(open('/hangs', { timeout: 100 }).current());
    expect(error).toMatchObject({ code: 'keys_unavailable', status: 503 });
  });
});
