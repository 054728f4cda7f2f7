import { describe, expect, it, test } from 'vitest';
import { decrypts, graceFor, isRotationDue, stateOf, withRevoked, withSuccessor } from './key-life.js';
import type { StoredKey } from './key-store.js';

const DAY = 86_400;
const TIMES = { lifetime: 30 * DAY, grace: DAY, lead: 10 };
const key = (kid: string, times: Partial<StoredKey> = {}): StoredKey => {
  const defaults = { createdAt: 1000, publishAt: 1010, expiresAt: 1010 + 30 * DAY };
  return { kid, alg: 'RSA-OAEP-256', pkcs8: `bytes of ${kid}`, ...defaults, ...times };
};

test('grace is as long as a client may use a set: its max-age, its stale limit, and what clocks differ by', () => {
  expect([0, 600, 3600].map(graceFor)).toEqual([86_700, 87_300, 90_300]);
});

describe('the state of a key', () => {
  const whole = key('a', { replacedAt: 2000, decryptsUntil: 3000 });

  it.each([
    [1000, 'next'],
    [1009.9, 'next'],
    [1010, 'active'],
    [1999.9, 'active'],
    [2000, 'retiring'],
    [2999.9, 'retiring'],
    [3000, 'retired'],
  ])('at %d s is %s', (now, state) => {
    expect(stateOf(whole, now)).toBe(state);
    expect(decrypts(whole, now)).toBe(state !== 'retired');
  });

  it('is revoked at once, whatever the time', () => {
    for (const now of [0, 1500, 2500, 9000]) {
      expect(stateOf({ ...whole, revokedAt: 1200 }, now)).toBe('revoked');
      expect(decrypts({ ...whole, revokedAt: 1200 }, now)).toBe(false);
    }
  });
});

describe('a successor', () => {
  it('takes the place of the current key in the same instant in which it is published', () => {
    const made = key('b', { createdAt: 5000, publishAt: 5010 });
    const [b, a] = withSuccessor([key('a')], made, TIMES);
    expect(b).toEqual(made);
    expect(a).toEqual({ ...key('a'), replacedAt: 5010, decryptsUntil: 5010 + DAY });
    for (const now of [5000, 5009.9, 5010, 6000]) {
      const active = [a, b].filter((each) => each && stateOf(each, now) === 'active');
      expect(active).toHaveLength(1);
    }
  });

  it('does not prolong the grace of a key that was replaced before', () => {
    const old = key('old', { replacedAt: 4000, decryptsUntil: 4000 + DAY });
    expect(withSuccessor([old], key('b', { createdAt: 5000 }), TIMES)).toContainEqual(old);
  });

  it('ends the storage of bytes that are of no use, and later of the key', () => {
    const retired = key('retired', { replacedAt: 2000, decryptsUntil: 3000 });
    const { pkcs8: _, ...bare } = retired;
    expect(withSuccessor([retired], key('b', { createdAt: 5000 }), TIMES)).toContainEqual(bare);
    const later = key('b', { createdAt: 3000 + 31 * DAY });
    expect(withSuccessor([retired], later, TIMES).map(({ kid }) => kid)).toEqual(['b']);
  });
});

describe('a revoked key', () => {
  it('loses its bytes at once, and no other key does', () => {
    const [a, b] = withRevoked([key('a'), key('b')], 'a', 2000);
    expect(a).toMatchObject({ kid: 'a', revokedAt: 2000 });
    expect(a).not.toHaveProperty('pkcs8');
    expect(b).toEqual(key('b'));
  });

  it('that was not published yet leaves the one in place that it was to replace', () => {
    const made = key('b', { createdAt: 5000, publishAt: 5010 });
    const keys = withSuccessor([key('a')], made, TIMES);
    expect(withRevoked(keys, 'b', 5005)).toContainEqual(key('a'));
    expect(withRevoked(keys, 'b', 5010)).toContainEqual(keys[1]);
  });

  it('keeps the time of the first revocation', () => {
    const once = withRevoked([key('a')], 'a', 2000);
    expect(withRevoked(once, 'a', 3000)).toEqual(once);
  });
});

describe('a rotation', () => {
  const expiresAt = 1010 + 30 * DAY;

  it('is due when a fifteenth of the lifetime is left', () => {
    expect(isRotationDue([key('a')], expiresAt - 2 * DAY, TIMES)).toBe(false);
    expect(isRotationDue([key('a')], expiresAt - 2 * DAY + 1, TIMES)).toBe(true);
  });

  it('is due two days before at the earliest', () => {
    const times = { ...TIMES, lifetime: 3650 * DAY };
    expect(isRotationDue([key('a')], expiresAt - 2 * DAY - 1, times)).toBe(false);
    expect(isRotationDue([key('a')], expiresAt - 2 * DAY + 1, times)).toBe(true);
  });

  it('is not due once a successor is on its way, nor without a key', () => {
    const now = expiresAt + DAY;
    const keys = withSuccessor(
      [key('a')],
      key('b', { createdAt: now, publishAt: now, expiresAt: now + 30 * DAY }),
      TIMES,
    );
    expect(isRotationDue(keys, now, TIMES)).toBe(false);
    expect(isRotationDue([], now, TIMES)).toBe(false);
    expect(isRotationDue(withRevoked([key('a')], 'a', now), now, TIMES)).toBe(false);
  });
});
