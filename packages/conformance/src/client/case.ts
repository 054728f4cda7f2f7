import type { E2eeErrorCode, Limits, PolicyDocument, Profile } from '@e2ee/core';
import type { KeySourceName } from './keys.js';
import type { Answer, Moment, ProviderSetup } from './provider.js';
import type { ClientFeature, ClientRequest, ClientSurroundings } from './subject.js';

/** One thing that every client adapter must do. */
export interface ClientCase {
  /** A sentence: the title of a test. Its subject is the adapter, or the policy. */
  readonly name: string;
  readonly base: ClientBase;
  readonly needs?: readonly ClientFeature[];
  readonly steps: readonly ClientStep[];
  /** How the steps are taken: one after the other (default), or otherwise. */
  readonly how?: 'at once' | 'at once after the first';
  /** What has happened in the end. */
  readonly afterwards?: Aftermath;
}

/** A client, and the provider that it talks to. */
export interface ClientBase {
  readonly policy: PolicyDocument;
  /** What else is installed on the client. */
  readonly around?: Omit<ClientSurroundings, 'response' | 'sign'>;
  /** An interceptor of responses listens. */
  readonly hears?: boolean;
  /** The last step signs what is sent. */
  readonly signs?: boolean;
  /** What differs from `banked`. */
  readonly profile?: Partial<Profile>;
  readonly provider?: Partial<ProviderSetup>;
  /** Where the provider's keys come from. Default `static`: known beforehand. */
  readonly keys?: KeySourceName;
  /** The client has no keys of its own. */
  readonly withoutKeyRing?: boolean;
  readonly unmatched?: 'refuse';
  readonly requireTls?: boolean;
  readonly limits?: Partial<Limits>;
  /** The adapter is given a client end made beforehand in place of options. */
  readonly madeBeforehand?: boolean;
  /**
   * The base URL: of the provider (default) with this behind it, of the provider by TLS, or under an address that is not
   * loopback; or another one.
   */
  readonly url?: { readonly below: string } | 'by TLS' | 'elsewhere' | `http${string}`;
  /** Options of TLS, beside the certificate. */
  readonly tls?: { readonly minVersion?: string; readonly secureProtocol?: string };
  /** The oldest version of TLS that Node was told to speak, as by `--tls-min-v1.0`. */
  readonly nodeTls?: 'TLSv1';
}

export interface ClientStep {
  /** `again`: the last failure, sent once more. `eject`: takes encryption off the client. */
  readonly send: Sending | 'again' | 'eject';
  /** Changes what the provider does from now on. */
  readonly provider?: Partial<ProviderSetup>;
  /** What must come back; of several, one of them. */
  readonly expect?: Result | readonly Result[];
}

/** A call. Its body may be {@link Fresh}, or hold what `Tokens` makes. */
export interface Sending extends Omit<ClientRequest, 'signal'> {
  /** When the caller breaks off. */
  readonly abort?: Moment | 'before';
}

/** What a caller gets. */
export interface Result {
  readonly status?: number;
  /** The body, exactly; {@link NOTHING} where there is none. May hold {@link Left}. */
  readonly body?: unknown;
  /** `null`: there is none. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  /** The call fails: with an error of this code, because it was broken off, or however the client puts it. */
  readonly error?: E2eeErrorCode | 'aborted' | 'timed out' | 'any';
  /** The field path that the error names. */
  readonly path?: string;
  /** In the message of the error. */
  readonly message?: RegExp;
  /** The error is the one that this answer leads to. */
  readonly sameAs?: Answer;
}

export interface Aftermath {
  /** How many requests arrived, not counting those for keys; or what they were. */
  readonly arrived?: number | readonly Wire[];
  /** The bodies as the provider's handler saw them. */
  readonly handled?: readonly unknown[];
  readonly keyFetches?: number;
  /** Exactly these. Default: none. */
  readonly events?: readonly object[];
  /** What interceptors of responses heard. */
  readonly heard?: readonly unknown[];
  /** How many connections all requests came by, at the most. */
  readonly connections?: number;
  /** How many connections by TLS were opened. */
  readonly secureConnections?: number;
  /** What was signed is what arrived, with the signature. */
  readonly signed?: true;
  /** Every request has the same body: ciphertext was sent again as it was. By default no token is sent twice. */
  readonly resent?: true;
  /** Where the canary may be, and why. */
  readonly shows?: { readonly onTheWire?: string; readonly inLogs?: string };
}

/** A request on the wire. */
export interface Wire {
  readonly method?: string;
  readonly url?: string;
  /** `null`: there is none. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  /** The JSON of the body, exactly; may hold what `opensAs` of the server half makes. */
  readonly json?: unknown;
  /** The body is one token, announced as such, and this is the JSON inside. */
  readonly message?: unknown;
  readonly text?: string;
}

/** Makes a body when it is sent: one that can be read only once, or that is no plain data. */
export class Fresh {
  readonly make: () => unknown;

  constructor(make: () => unknown) {
    this.make = make;
  }
}

/** Stands for a body that is not there: each client has its own idea. */
export const NOTHING: unique symbol = Symbol('no body');

/** Stands in a body for a token to the client that was left as it is, and holds this value. */
export class Left {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

type More = Omit<Sending, 'method' | 'path' | 'body'>;

export function get(path: string, more: More = {}): Sending {
  return { method: 'GET', path, ...more };
}

export function post(path: string, body?: unknown, more: More = {}): Sending {
  return { method: 'POST', path, ...(body !== undefined && { body }), ...more };
}

/** One call. */
export function once(
  send: Sending,
  expect: Result | readonly Result[],
  afterwards?: Aftermath,
): Pick<ClientCase, 'steps' | 'afterwards'> {
  return { steps: [{ send, expect }], ...(afterwards && { afterwards }) };
}

/** One call that fails before anything is sent. */
export function unsent(
  send: Sending,
  expect: Result | readonly Result[],
): Pick<ClientCase, 'steps' | 'afterwards'> {
  return once(send, expect, { arrived: 0 });
}
