import { e2ee } from '@e2ee/axios-interceptor';
import { type PolicyRow, powens, remoteJwks } from '@e2ee/core';
import axios, { type AxiosAdapter, type AxiosResponse } from 'axios';
import { type Field, readFields } from './bank.js';
import { type Failure, failureOf } from './failure.js';

/** How the aggregator confirms a credential. */
export interface Confirmation {
  /** In characters. */
  readonly length: number;
  /** The last two characters; nothing of a short one. */
  readonly ends_with: string | null;
}

/** What came of sending credentials. */
export type Outcome =
  | { readonly kind: 'connected'; readonly confirmed: Confirmations }
  | {
      /** The bank asks for more. */
      readonly kind: 'incomplete';
      readonly connection: number;
      readonly fields: readonly Field[];
      readonly confirmed: Confirmations;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

export type Confirmations = Readonly<Record<string, Confirmation>>;
export type Credentials = Readonly<Record<string, string>>;

/** Sends credentials, encrypted to the aggregator. Keeps none of them. */
export interface Sender {
  /** Signs in to a bank. */
  connect(bank: number, credentials: Credentials): Promise<Outcome>;
  /** Answers what the bank has asked for besides. */
  complete(connection: number, credentials: Credentials): Promise<Outcome>;
}

export interface SenderOptions {
  /** The page's own server. */
  readonly apiUrl: string;
  /** The aggregator itself: the key must not come through a server that could put its own in its place. */
  readonly aggregatorUrl: string;
  /** What a browser would add by itself. For tests and demonstrations in Node. */
  readonly headers?: Readonly<Record<string, string>>;
}

const CREDENTIAL: PolicyRow = { request: 'encrypt', as: 'text' };

/**
 * The profile's operations that this page uses. Stricter than the profile's own rows, which leave open what the API
 * defines itself (`active`, `expire`, …): the names of fields come through a server that is not trusted, and a field of
 * such a name would leave in the clear.
 */
const POLICY = {
  'POST /users/:user/connections': { '*': CREDENTIAL, id_connector: { request: 'none' } },
  'POST /users/:user/connections/:connection': { '*': CREDENTIAL },
} as const;

/** Longer than the page's own server waits for the aggregator. */
const TIMEOUT = 15_000;

/** Makes what sends the credentials. What the policy does not know is not sent at all. */
export function createSender({ apiUrl, aggregatorUrl, headers = {} }: SenderOptions): Sender {
  const api = axios.create({ baseURL: apiUrl, timeout: TIMEOUT, headers: { ...headers }, proxy: false }); // Node's
  const encryptionKeys = remoteJwks(aggregatorUrl + powens.publication.path);
  // A person's choice among values that the server made up is plain, even if each of them looks like a token.
  e2ee(api, {
    profile: powens,
    policy: POLICY,
    unmatched: 'refuse',
    alreadyEncrypted: 'encrypt',
    encryptionKeys,
  });

  /** Of a response, and of an error, only the data is kept: both know what was sent. */
  const post = (path: string, body: object): Promise<Outcome> => {
    let isSent = false;
    const adapter: AxiosAdapter = (config) => {
      isSent = true; // encryption is done, and nothing after it holds a request up
      return axios.getAdapter(api.defaults.adapter)(config);
    };
    return api
      .post(path, body, { adapter })
      .then(outcomeOf)
      .catch((error: unknown) => ({
        kind: 'failed',
        failure: failureOf(error, { isOnline: isOnline(), isSent }),
      }));
  };

  return {
    // The other way round a field could take the bank's place.
    connect: (bank, credentials) => post('/users/me/connections', { ...credentials, id_connector: bank }),
    complete: (connection, credentials) => post(`/users/me/connections/${connection}`, credentials),
  };
}

/** As far as the browser knows. */
export function isOnline(): boolean {
  const { navigator } = globalThis as { readonly navigator?: { readonly onLine?: boolean } }; // Node 20 has none
  return navigator?.onLine !== false;
}

function outcomeOf({ data }: AxiosResponse): Outcome {
  const { id, state, fields, credentials }: Readonly<Record<string, unknown>> = Object(data);
  const confirmed = readConfirmations(credentials);
  if (state === null) return { kind: 'connected', confirmed };
  return { kind: 'incomplete', connection: Number(id), fields: readFields(fields), confirmed };
}

function readConfirmations(credentials: unknown): Confirmations {
  return Object.fromEntries(
    Object.entries(Object(credentials)).map(([name, shown]): [string, Confirmation] => {
      const { length, ends_with }: Readonly<Record<string, unknown>> = Object(shown);
      return [name, { length: Number(length), ends_with: typeof ends_with === 'string' ? ends_with : null }];
    }),
  );
}
