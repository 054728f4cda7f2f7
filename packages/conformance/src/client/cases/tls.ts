import { opensAs } from '../../server/case.js';
import { type ClientBase, type ClientCase, get, once, post, unsent } from '../case.js';
import { OPEN, PAYEE, PAYMENTS, SECRET, STANDARD } from './standard.js';

const REQUIRED: ClientBase = { ...STANDARD, requireTls: true };
const SECURE: ClientBase = { ...REQUIRED, url: 'by TLS' };
const REFUSED = { error: 'tls_required' } as const;

/** Places without TLS. At the first one is the provider; at the others nobody is, so that what is tried fails otherwise. */
const ELSEWHERE = [
  'elsewhere',
  'http://192.0.2.1',
  'http://localhost.e2ee.invalid',
  'http://127.0.0.1.e2ee.invalid',
  'http://0x7f.1.e2ee.invalid',
] as const;

const origins: ClientCase[] = [
  ...ELSEWHERE.flatMap((url): ClientCase[] =>
    [post(PAYMENTS, SECRET, { timeout: 1_000 }), post(OPEN, SECRET, { timeout: 1_000 })].map((send) => ({
      name: `nothing is sent without TLS: ${url}, ${send.path}`,
      base: { ...REQUIRED, url },
      ...unsent(send, REFUSED),
    })),
  ),
  {
    name: 'nothing is asked for without TLS either',
    base: { ...REQUIRED, url: 'elsewhere' },
    ...unsent(get(OPEN, { timeout: 1_000 }), REFUSED),
  },
  {
    name: 'this machine may be reached without TLS',
    base: REQUIRED,
    ...once(post(PAYMENTS, SECRET), { status: 200, body: SECRET }, { arrived: 1 }),
  },
  {
    name: 'a place without TLS is reached where none is required',
    base: { ...STANDARD, url: 'elsewhere' },
    ...once(post(PAYMENTS, SECRET, { timeout: 1_000 }), { status: 200, body: SECRET }, { arrived: 1 }),
  },
  {
    name: 'a provider is reached by TLS',
    base: SECURE,
    ...once(
      post(PAYMENTS, SECRET),
      { status: 200, body: SECRET },
      { arrived: [{ json: { encrypted_payee: opensAs(PAYEE) } }], secureConnections: 1 },
    ),
  },
];

const versions: ClientCase[] = [
  ...[
    { minVersion: 'TLSv1' },
    { minVersion: 'TLSv1.1' },
    { secureProtocol: 'TLSv1_method' },
    { secureProtocol: 'TLSv1_1_client_method' },
    { secureProtocol: 'TLS_method' },
    { secureProtocol: 'SSLv23_method' },
  ].map(
    (tls): ClientCase => ({
      name: `TLS below 1.2 is refused before a connection is made: ${JSON.stringify(tls)}`,
      base: { ...SECURE, tls },
      ...once(post(PAYMENTS, SECRET), REFUSED, { arrived: 0, secureConnections: 0 }),
    }),
  ),
  ...[{ minVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }, { secureProtocol: 'TLSv1_2_method' }].map(
    (tls): ClientCase => ({
      name: `TLS from 1.2 on is accepted: ${JSON.stringify(tls)}`,
      base: { ...SECURE, tls },
      ...once(post(PAYMENTS, SECRET), { status: 200, body: SECRET }, { secureConnections: 1 }),
    }),
  ),
  {
    name: 'TLS is refused where Node was told to speak versions below 1.2',
    base: { ...SECURE, nodeTls: 'TLSv1' },
    ...once(post(PAYMENTS, SECRET), REFUSED, { arrived: 0, secureConnections: 0 }),
  },
  {
    name: 'TLS is refused where Node was told to speak versions below 1.2, whatever the client',
    base: { ...REQUIRED, url: 'https://e2ee.invalid', nodeTls: 'TLSv1' },
    ...unsent(post(PAYMENTS, SECRET, { timeout: 1_000 }), REFUSED),
  },
];

const redirections: ClientCase[] = [
  ...Object.entries({ 'this machine': REQUIRED, TLS: SECURE }).flatMap(([from, base]) =>
    ([307, 308, 302] as const).map(
      (status): ClientCase => ({
        name: `a redirection ${status} from ${from} to a place without TLS is not followed`,
        base: {
          ...base,
          provider: { answers: [{ way: 'redirect', status, location: 'elsewhere' }] },
        },
        // A client that is told to follow none says so in its own way.
        ...once(post(PAYMENTS, SECRET, { timeout: 1_500 }), [REFUSED, { error: 'any' }], {
          arrived: 1,
        }),
      }),
    ),
  ),
  {
    name: 'a redirection on this machine is followed, or refused, and takes ciphertext along',
    base: {
      ...REQUIRED,
      provider: { answers: [{ way: 'redirect', status: 307, location: PAYMENTS }, { way: 'handle' }] },
    },
    needs: ['redirections with requireTls'],
    ...once(post(PAYMENTS, SECRET), { status: 200, body: SECRET }, { arrived: 2, resent: true }),
  },
];

export const tls: readonly ClientCase[] = [...origins, ...versions, ...redirections];
