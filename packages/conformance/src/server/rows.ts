/** "Bodies and policy" of the table of threats: each row has a case at least. */
export const BODY_ROWS = {
  plaintext: 'plaintext where the policy says encrypt; plaintext and ciphertext of one field together',
  'all or nothing': 'one good and one bad field',
  'bad content':
    'plaintext that is not JSON where JSON is due; nested too deep; duplicate or `__proto__` members',
  'deep body': 'outer body nested 50,000 deep',
  'token in disguise': 'a JWE inside a decrypted value; a JWE-looking string in a field outside the policy',
  'many tokens': '`actions.#.source` with 0, limit, limit + 1 elements; a body with 1,700 tokens',
  'over capacity': 'more private-key operations than the limits allow',
  'route confusion':
    'letter case, trailing slash, `//`, `%2e`, percent-encoded letters, query string, HEAD for GET',
  'unread body': 'missing, unparsed, form, `text/plain`, wrong charset on an operation with required fields',
  'ways out':
    'response as string, Buffer, stream, file, `res.end`; error after decryption; 4xx and 5xx bodies',
  'odd values': 'response value with `toJSON`, `Date`, `BigInt`, `Map`, a cycle, a throwing getter',
  'failed encryption': 'encrypting a response fails; no key registered',
  canary: 'a canary value through every failure',
} as const;

/** "Tokens" and "Own keys" of the table of threats, as far as an adapter shows them. */
export const OTHER_ROWS = {
  'malformed token': 'not a string; segments; alphabet; JSON serialisation; a JWS; `alg: none`',
  'long token': '5 MB of dots, a token one byte over its limit',
  'bad header': 'not an object, bad UTF-8, BOM, duplicate members, over 2 kB, nested deep',
  algorithm: '`alg`/`enc` off the allow-list or in another letter case',
  'forbidden header': '`zip`, any `crit`, `jku`, `x5u`, `jwk`, `x5c` in the header',
  'unknown key': '`kid` unknown, retired, `__proto__`, a path, SQL, CR/LF',
  'wrong key': '`kid` of key A on a token for key B',
  tampered: 'any flipped bit; tag, IV, encrypted key or CEK of a wrong length',
  'published keys': 'public members only; ETag and `Cache-Control`; 304; 405 for other methods',
} as const;

export type Row = keyof typeof BODY_ROWS | keyof typeof OTHER_ROWS;
