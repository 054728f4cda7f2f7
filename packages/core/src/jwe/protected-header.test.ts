import { describe, expect, it } from 'vitest';
import { utf8 } from '../../test/bytes.js';
import { errorOf } from '../../test/keys-fixtures.js';
import { parseProtectedHeader } from './protected-header.js';

const NAMES = '"alg":"RSA-OAEP-256","enc":"A256GCM"';
const refused = (text: string): Promise<unknown> => errorOf(() => parseProtectedHeader(utf8(text)));

describe('parseProtectedHeader', () => {
  it('reads a header, and inherits nothing', () => {
    const header = parseProtectedHeader(utf8(`{${NAMES},"kid":"a","x":[1]}`));
    expect({ ...header }).toEqual({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'a', x: [1] });
    expect(Object.getPrototypeOf(header)).toBeNull();
  });

  it.each([
    '',
    '{',
    'null',
    '5',
    'true',
    '"alg enc"',
    '[]',
    `[{${NAMES}}]`,
    '{}',
    '{"enc":"A256GCM"}',
    '{"alg":"RSA-OAEP-256"}',
    '{"alg":1,"enc":"A256GCM"}',
    '{"alg":"RSA-OAEP-256","enc":1}',
    '{"alg":["RSA-OAEP-256"],"enc":"A256GCM"}',
    '{"alg":"RSA-OAEP-256","enc":null}',
  ])('refuses %s', async (text) => {
    expect(await refused(text)).toMatchObject({ code: 'token_invalid' });
  });

  it.each(['zip', 'crit', 'jku', 'jwk', 'x5u', 'x5c'])(
    'refuses the member %s, whatever it says',
    async (member) => {
      for (const value of ['null', '""', '[]', '"DEF"'])
        expect(await refused(`{${NAMES},"${member}":${value}}`)).toMatchObject({ code: 'token_invalid' });
    },
  );

  it.each(['kid', 'typ', 'cty'])('refuses a %s that is no text, and takes an empty one', async (member) => {
    for (const value of ['null', '1', '["a"]', '{}'])
      expect(await refused(`{${NAMES},"${member}":${value}}`)).toMatchObject({ code: 'token_invalid' });
    expect(parseProtectedHeader(utf8(`{${NAMES},"${member}":""}`))[member]).toBe('');
  });

  it.each([
    ['at the top', `{${NAMES},"a":1,"a":1}`],
    ['after an object that has closed', `{${NAMES},"a":{"b":1},"a":2}`],
    ['in an object of a list', `{${NAMES},"a":[{"b":1,"b":2}]}`],
    ['in two spellings', `{${NAMES},"a":1,"\\u0061":2}`],
    ['before white space', `{${NAMES},"a" :1,"a"\t:2}`],
    ['called __proto__', `{${NAMES},"__proto__":1,"__proto__":2}`],
  ])('refuses one name twice, %s', async (_where, text) => {
    expect(await refused(text)).toMatchObject({ code: 'token_invalid' });
  });

  it.each([
    ['in two objects', `{${NAMES},"a":{"b":1},"c":{"b":1}}`],
    ['in an object and the one around it', `{${NAMES},"a":{"a":{"a":1}}}`],
    ['as a name and as a value', `{${NAMES},"a":"a","b":"a"}`],
    ['within a text that has braces and quotes', `{${NAMES},"a":"{\\"a\\":1}","b":"}"}`],
  ])('takes one text twice, %s', (_where, text) => {
    expect(parseProtectedHeader(utf8(text)).alg).toBe('RSA-OAEP-256');
  });
});

describe('members of one name', () => {
  it.each([
    '"kid":"a","kid":"b"',
    '"kid" :"a","kid":"b"',
    '"kid"\n:"a","kid":"b"',
    '"kid":"a","k\\u0069d":"b"',
    '"x":{"a":1,"a":2}',
    '"x":[{"a":1,"b":2,"a":3}]',
    '"x":"a \\":","kid":"a","kid":"b"',
  ])('are refused: %s', async (members) => {
    expect(await refused(`{${NAMES},${members}}`)).toMatchObject({ code: 'token_invalid' });
  });

  it.each([
    '"kid" :"a"',
    '"x":{"kid":1},"kid":"a"',
    '"x":":","y":"{"',
    '"x":"a\\":b"',
    '"x":[{"a":1},{"a":1}]',
  ])('are told from others: %s', (members) => {
    expect(parseProtectedHeader(utf8(`{${NAMES},${members}}`)).alg).toBe('RSA-OAEP-256');
  });
});
