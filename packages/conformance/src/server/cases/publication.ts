import { type Base, get, type Outcome, once, type Sending, type ServerCase } from '../case.js';
import { STANDARD } from './standard.js';

const JWKS = '/.well-known/jwks.json';

const PUBLISHED: Outcome = {
  status: 200,
  includes: { keys: [{ kty: 'RSA', use: 'enc', alg: 'RSA-OAEP-256', e: 'AQAB' }] },
  // The private members of an RSA key (RFC 7518 §6.3.2), and of a symmetric one.
  text: /^(?!.*"(?:d|p|q|dp|dq|qi|oth|k)":)/s,
  headers: {
    'content-type': /^application\/json(?:;|$)/,
    'cache-control': 'public, max-age=600',
    etag: /^"[\w-]{20,}"$/,
  },
};

const NOT_MODIFIED: Outcome = {
  status: 304,
  text: '',
  headers: { etag: /^"[\w-]{20,}"$/, 'content-type': null },
};

const conditional = (condition: (etag: string) => string): ServerCase['steps'] => [
  { send: get(JWKS), expect: PUBLISHED },
  {
    send: get(JWKS, { headers: { 'if-none-match': ({ etag = '' }) => condition(etag) } }),
    expect: NOT_MODIFIED,
  },
];

const found: ServerCase[] = [
  {
    name: 'the keys are published, their public members only',
    row: 'published keys',
    base: STANDARD,
    ...once(get(JWKS), PUBLISHED),
  },
  {
    name: 'the keys are the same for everybody, whoever asks',
    row: 'published keys',
    base: STANDARD,
    ...once(get(JWKS, { recipient: 'message' }), { ...PUBLISHED, sameAs: get(JWKS) }),
  },
  {
    name: 'the keys are published where the API must be covered whole',
    row: 'published keys',
    base: { ...STANDARD, unmatched: 'refuse' },
    ...once(get(JWKS), PUBLISHED),
  },
  ...(['after', 'none'] as const).map(
    (parser): ServerCase => ({
      name: `the keys are published, parsers ${parser}`,
      row: 'published keys',
      base: { ...STANDARD, parser },
      ...once(get(JWKS), PUBLISHED),
    }),
  ),
  {
    name: 'an ETag spares sending the keys again',
    row: 'published keys',
    base: STANDARD,
    steps: conditional((etag) => etag),
  },
  {
    name: 'a weak ETag spares sending the keys again',
    row: 'published keys',
    base: STANDARD,
    steps: conditional((etag) => `W/${etag}`),
  },
  {
    name: 'an ETag among others spares sending the keys again',
    row: 'published keys',
    base: STANDARD,
    steps: conditional((etag) => `"x", ${etag}`),
  },
  {
    name: 'another ETag gets the keys',
    row: 'published keys',
    base: STANDARD,
    ...once(get(JWKS, { headers: { 'if-none-match': '"x"' } }), PUBLISHED),
  },
  {
    name: 'HEAD gets the head of the keys',
    row: 'published keys',
    base: STANDARD,
    ...once({ method: 'HEAD', target: JWKS }, { status: 200, text: '', headers: { etag: /^"/ } }),
  },
  ...['/.WELL-KNOWN/JWKS.json', `${JWKS}/`, `/${JWKS}`, `${JWKS}?cache=1`, '/%2ewell-known/%6awks.json'].map(
    (target): ServerCase => ({
      name: `the keys are found as ${target}`,
      row: 'published keys',
      base: STANDARD,
      ...once(get(target), PUBLISHED),
    }),
  ),
];

/** Another place and another form of publication, as profiles have them. */
const SINGLE: Base = {
  ...STANDARD,
  profile: {
    publication: {
      path: '/publickey',
      form: 'jwk',
      contentType: 'application/jwk+json',
      maxAge: 60,
      times: { issued: 'iat', expiry: 'exp' },
    },
  },
};

const others: ServerCase[] = [
  {
    name: 'a single key is published where the profile says so',
    row: 'published keys',
    base: SINGLE,
    ...once(get('/publickey'), {
      status: 200,
      includes: { kty: 'RSA', use: 'enc' },
      text: /^(?!.*"(?:d|p|q|dp|dq|qi)":)/s,
      headers: { 'cache-control': 'public, max-age=60', 'content-type': /^application\/jwk\+json/ },
    }),
  },
  ...['POST', 'PUT', 'PATCH', 'DELETE'].map(
    (method): ServerCase => ({
      name: `${method} of the keys is not allowed`,
      row: 'published keys',
      base: STANDARD,
      ...once({ method, target: JWKS, body: { keys: [] } } satisfies Sending, {
        status: 405,
        text: '',
        headers: { allow: 'GET, HEAD' },
      }),
    }),
  ),
  ...['/.well-known', `${JWKS}x`, `/x${JWKS}`, `${JWKS}/x`].map(
    (target): ServerCase => ({
      name: `no keys are found as ${target}`,
      row: 'published keys',
      base: STANDARD,
      ...once(get(target), { status: 404 }),
    }),
  ),
];

export const publication: readonly ServerCase[] = [...found, ...others];
