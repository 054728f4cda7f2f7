import { expect, it } from 'vitest';
import { errorOf } from '../../test/keys-fixtures.js';
import { refuseToken } from './refusal.js';

it('a refusal has no cause, unless a reason is given, which our side alone sees', async () => {
  const plain = await errorOf(() => refuseToken());
  const reasoned = await errorOf(() => refuseToken('its time is over'));
  expect(plain).toMatchObject({ code: 'token_invalid', expose: true });
  expect(Object.hasOwn(Object(plain), 'cause')).toBe(false);
  expect(Object(reasoned).cause).toMatchObject({ message: 'its time is over' });
  expect([Object(reasoned).message, Object(reasoned).status]).toEqual([Object(plain).message, 400]);
});
