import { CANARY } from '../answers.js';
import { type Base, get, MASK, type Outcome, once, post, refused, type ServerCase, sealed } from '../case.js';
import { PAYMENTS, STANDARD } from './standard.js';

const REQUIRED: Base = { ...STANDARD, requireTls: true };
const PROXIED: Base = { ...STANDARD, requireTls: 'trust-proxy' };

const REFUSED = refused('tls_required', 'body', 403);
const OPENED: Outcome = { status: 200, handler: { body: { payee: CANARY } }, json: { payee: MASK } };
const body = { encrypted_payee: sealed(CANARY) };
const proto = (value: string): { headers: { 'x-forwarded-proto': string } } => ({
  headers: { 'x-forwarded-proto': value },
});

/** Everything here arrives without TLS. */
export const tls: readonly ServerCase[] = [
  {
    name: 'a covered request is refused where TLS is required',
    base: REQUIRED,
    ...once(post(PAYMENTS, body), REFUSED),
  },
  {
    name: 'a covered request in another spelling is refused where TLS is required',
    base: REQUIRED,
    ...once(post('/V2/Payments?x', body), REFUSED),
  },
  {
    name: 'a request whose response alone is covered is refused where TLS is required',
    base: REQUIRED,
    routes: [{ method: 'GET', path: '/v2/ways/tls', answer: { way: 'json', body: { payee: CANARY } } }],
    ...once(get('/v2/ways/tls'), REFUSED),
  },
  {
    name: 'keys are not published where TLS is required',
    base: REQUIRED,
    ...once(get('/.well-known/jwks.json'), { ...REFUSED, text: /^(?!.*"kty")/s }),
  },
  {
    name: 'an operation outside the policy passes where TLS is required',
    base: REQUIRED,
    ...once(post('/v2/open', { id: 7 }), { status: 200, handler: { body: { id: 7 } } }),
  },
  {
    name: 'a header says nothing of TLS where no proxy is trusted',
    base: REQUIRED,
    ...once(post(PAYMENTS, body, proto('https')), REFUSED),
  },
  {
    name: 'the header of a trusted proxy tells of TLS',
    base: PROXIED,
    ...once(post(PAYMENTS, body, proto('https')), OPENED),
  },
  {
    name: 'the header of a trusted proxy tells of TLS to the keys',
    base: PROXIED,
    ...once(get('/.well-known/jwks.json', proto('https')), {
      status: 200,
      includes: { keys: [{ kty: 'RSA' }] },
    }),
  },
  ...['http', 'https, http', 'http,https', ''].map(
    (value): ServerCase => ({
      name: `a trusted proxy that says ${JSON.stringify(value)} tells of no TLS`,
      base: PROXIED,
      ...once(post(PAYMENTS, body, proto(value)), REFUSED),
    }),
  ),
  {
    name: 'a trusted proxy that says nothing tells of no TLS',
    base: PROXIED,
    ...once(post(PAYMENTS, body), REFUSED),
  },
  {
    name: 'without the option no TLS is asked for',
    base: STANDARD,
    ...once(post(PAYMENTS, body, proto('http')), OPENED),
  },
];
