import { describe, expect, it } from 'vitest';
import { party } from '../../test/two-ends.js';
import { staticKeys } from '../keys/encryption-keys.js';
import type { E2eeEvent } from './events.js';
import { deliveryTo, FIELD_ACTIONS, type Recipient, reportKeyless } from './recipient.js';

describe('deliveryTo', () => {
  it('is without a key for nobody, and for a recipient who has none', async () => {
    expect(await deliveryTo(undefined)).toEqual({ mode: 'keyless' });
    for (const response of ['encrypt', 'redact', 'message'] as const) {
      expect(await deliveryTo({ id: 'p1', response })).toEqual({ mode: 'keyless' });
    }
  });

  it('is what a recipient with a key has chosen, with its current key', async () => {
    const { encryptionKey } = await party('partner');
    for (const response of ['encrypt', 'redact', 'message'] as const) {
      const recipient: Recipient = { id: 'p1', encryptionKeys: staticKeys(encryptionKey), response };
      expect(await deliveryTo(recipient)).toEqual({ mode: response, key: encryptionKey });
    }
  });

  it('rejects a choice that it does not know, with or without a key', async () => {
    const recipient = { id: 'p1', response: 'toString' } as unknown as Recipient;
    await expect(deliveryTo(recipient)).rejects.toMatchObject({ code: 'option_invalid', status: 500 });
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

describe('reportKeyless', () => {
  it.each<[Recipient | undefined, E2eeEvent[]]>([
    [undefined, [{ type: 'redacted_without_key', operation: 'POST /a' }]],
    [
      { id: 'p1', response: 'encrypt' },
      [{ type: 'redacted_without_key', operation: 'POST /a', recipient: 'p1' }],
    ],
    [
      { id: 'p1', response: 'message' },
      [{ type: 'redacted_without_key', operation: 'POST /a', recipient: 'p1' }],
    ],
    [{ id: 'p1', response: 'redact' }, []],
  ])('reports for %j %j', (recipient, events) => {
    const heard: E2eeEvent[] = [];
    reportKeyless((event) => heard.push(event), 'POST /a', recipient);
    expect(heard).toEqual(events);
  });
});
