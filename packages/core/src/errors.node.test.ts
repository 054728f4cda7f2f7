import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { E2eeError } from './errors.js';

it('an E2eeError shows its code where Node inspects it', () => {
  expect(inspect(new E2eeError('token_invalid', 'why'))).toContain("code: 'token_invalid'");
});
