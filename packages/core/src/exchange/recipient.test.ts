import { describe, expect, it } from 'vitest';
import { party } from '../../test/two-ends.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { deliveryTo, FIELD_ACTIONS, lacksKey, type Recipient } from './recipient.js';

describe('deliveryTo', () => {
  it('is without a key for nobody, and for a recipient who has none', () => {
    expect(deliveryTo(undefined)).toEqual({ mode: 'keyless' });
    for (const response of ['encrypt', 'redact', 'message'] as const) {
      expect(deliveryTo({ id: 'p1', response })).toEqual({ mode: 'keyless' });
    }
  });

  it('is what a recipient with keys has chosen', async () => {
    const { encryptionKey } = await party('partner');
    for (const response of ['encrypt', 'redact', 'message'] as const) {
      const keys = staticKeys(encryptionKey);
      expect(deliveryTo({ id: 'p1', encryptionKeys: keys, response })).toEqual({ mode: response, keys });
    }
  });

  it('refuses a choice that it does not know', () => {
    const recipient = { id: 'p1', response: 'toString' } as unknown as Recipient;
    expect(() => deliveryTo(recipient)).toThrow(
      expect.objectContaining({ code: 'option_invalid', status: 500 }),
    );
  });
});

describe('FIELD_ACTIONS', () => {
  it('never lets a value through in plain, except inside an encrypted message', () => {
    for (const modes of Object.values(FIELD_ACTIONS)) {
      const plain = Object.entries(modes).filter(([, action]) => action === 'keep');
      expect(plain.map(([mode]) => mode).filter((mode) => mode !== 'message')).toEqual([]);
      expect(modes.keyless).toBe('redact');
    }
  });
});

describe('lacksKey', () => {
  const CHOICES = [undefined, 'encrypt', 'message', 'redact'] as const;

  it.each([
    ['redact', [false, false, false, false]],
    ['encrypt', [true, true, true, true]],
    ['redact-or-encrypt', [true, true, true, false]],
  ] as const)('of a row that says %s', (treatment, expected) => {
    const found = CHOICES.map((response) => {
      const recipient = response && { id: 'p1', response };
      return lacksKey(treatment, deliveryTo(recipient), recipient);
    });
    expect(found).toEqual(expected);
  });

  it('is never so for a recipient with a key', async () => {
    const { encryptionKey } = await party('partner');
    const recipient: Recipient = { id: 'p1', encryptionKeys: staticKeys(encryptionKey), response: 'redact' };
    expect(lacksKey('encrypt', deliveryTo(recipient), recipient)).toBe(false);
  });
});
