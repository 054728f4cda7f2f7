import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { decryptionKeyOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { createKeyRing } from './key-ring.js';

it('a key ring shows its keys by their ids where Node inspects it', async () => {
  const ring = await createKeyRing({ keys: await decryptionKeyOf(RSA[0], 'shown') });
  expect(inspect(ring)).toContain('shown');
  ring.close();
});
