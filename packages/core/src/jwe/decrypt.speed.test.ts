import { expect, it } from 'vitest';
import { fastest } from '../../test/fastest.js';
import { forge, spied } from '../../test/jwe-forge.js';
import { decryptionKeyOf, errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { checkJwe } from './decrypt.js';

const key = spied(await decryptionKeyOf(RSA[0]));
const GOOD = await forge(RSA[0]);

it.each<[what: string, token: string]>([
  ['5 MB of dots', '.'.repeat(5_000_000)],
  ['5 MB of letters', 'A'.repeat(5_000_000)],
  ['5 MB of letters and four dots', `${'A'.repeat(5_000_000)}....`],
  ['5 MB that end badly', `${GOOD}${'A'.repeat(5_000_000)}=`],
])('%s as a token cost nothing, or one pass where the limit lets it in', async (_what, token) => {
  expect(await errorOf(() => checkJwe(token, key))).toMatchObject({ code: 'token_invalid' });
  const open = { tokenLength: 10_000_000 };
  expect(await errorOf(() => checkJwe(token, key, open))).toMatchObject({ code: 'token_invalid' });
  const scan = fastest(() => {
    let dots = 0;
    for (let i = 0; i < token.length; i += 1) if (token.charCodeAt(i) === 0x2e) dots += 1;
    return dots;
  });
  const limited = fastest(() => errorOf(() => checkJwe(token, key)));
  const unlimited = fastest(() => errorOf(() => checkJwe(token, key, open)));
  expect(limited).toBeLessThan(scan + 5);
  expect(unlimited).toBeLessThan(100 * scan + 100);
  expect(key.unwrap).not.toHaveBeenCalled();
});
