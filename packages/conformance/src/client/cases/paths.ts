import { opensAs } from '../../server/case.js';
import { type ClientCase, once, post } from '../case.js';
import { MOUNT } from '../provider.js';
import { OPEN, PAYEE, PAYMENTS, SECRET, STANDARD } from './standard.js';

/** What leads to `POST /v2/payments`: what stands behind the origin in the base URL, and the path. */
const READINGS: readonly (readonly [below: string, path: string])[] = [
  ['', '/V2/Payments'],
  ['', '/v2/payments/'],
  ['', '/v2//payments'],
  ['', '/v2/./payments'],
  ['', '/v2/x/../payments'],
  ['', '/v2/x/%2e%2e/payments'],
  ['', '/v2/%70ayments'],
  ['', '/v2/payments?payee=1#x'],
  ['', '/v2/payments?next=/v1/open'],
  ['', '/v2/payments#/v1/open'],
  ['', '/v2/pay\nments'],
  ['', '\\v2\\payments'],
  ['/v2', '/payments'],
  [MOUNT, '/v2/payments'],
  [MOUNT, '/V2/payments/'],
  [`${MOUNT}/v2`, '/payments'],
  [MOUNT.toUpperCase(), '/v2/payments'],
  [`/x/..${MOUNT}`, '/v2/payments'],
];

const readings: ClientCase[] = READINGS.map(([below, path]) => ({
  name: `a body is encrypted under the path ${JSON.stringify(path)}${below ? ` below ${below}` : ''}`,
  base: { ...STANDARD, ...(below && { url: { below } }) },
  // What a server makes of such a path is not the point.
  ...once(post(path, SECRET), [{}, { error: 'any' }], {
    arrived: [{ json: { encrypted_payee: opensAs(PAYEE) } }],
  }),
}));

const others: ClientCase[] = [
  {
    name: 'a query arrives as it is',
    base: STANDARD,
    ...once(
      post(`${PAYMENTS}?a=1&b=x%20y`, SECRET),
      { body: SECRET },
      { arrived: [{ url: `${PAYMENTS}?a=1&b=x%20y`, json: { encrypted_payee: opensAs(PAYEE) } }] },
    ),
  },
  {
    name: 'parameters of the client arrive as they are',
    base: STANDARD,
    ...once(
      post(PAYMENTS, SECRET, { params: { a: '1', next: 'x' } }),
      { body: SECRET },
      { arrived: [{ url: `${PAYMENTS}?a=1&next=x`, json: { encrypted_payee: opensAs(PAYEE) } }] },
    ),
  },
  {
    name: 'an answer under a path in other letters is decrypted',
    base: { ...STANDARD, provider: { answers: [{ way: 'handle' }] } },
    ...once(post('/V2/Payments/?x=1', SECRET), { status: 200, body: SECRET }, { arrived: 1 }),
  },
  {
    name: 'a policy of whole paths holds below a base URL with a path',
    base: {
      policy: { [`POST ${MOUNT}${PAYMENTS}`]: { payee: { request: 'encrypt' } } },
      url: { below: MOUNT },
      provider: { answers: [{ way: 'raw', body: {} }] },
    },
    ...once(
      post(PAYMENTS, SECRET),
      { status: 200, body: {} },
      { arrived: [{ url: `${MOUNT}${PAYMENTS}`, json: { encrypted_payee: opensAs(PAYEE) } }] },
    ),
  },
  {
    name: 'a path that only ends like one of the policy is outside it',
    base: STANDARD,
    ...once(
      post(`/other${PAYMENTS}`, { payee: 'open' }),
      { status: 200, body: { payee: 'open' } },
      { arrived: [{ json: { payee: 'open' } }] },
    ),
  },
  {
    name: 'a path that only begins like the path of the base URL is outside the policy',
    base: { ...STANDARD, url: { below: '/apis' } },
    ...once(
      post(OPEN, { payee: 'open' }),
      { body: { payee: 'open' } },
      { arrived: [{ json: { payee: 'open' } }] },
    ),
  },
];

export const paths: readonly ClientCase[] = [...readings, ...others];
