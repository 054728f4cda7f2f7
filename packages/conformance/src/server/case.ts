import type { E2eeServerOptions, Limits, PolicyDocument, Profile } from '@e2ee/core';
import type { Cut } from './connection.js';
import { type Keys, seal } from './keys.js';
import type { Row } from './rows.js';
import type { Arrangement, Feature, Route } from './subject.js';

/** One thing that every server adapter must do. */
export interface ServerCase {
  /** A sentence: the title of a test. Its subject is the adapter, or the policy. */
  readonly name: string;
  /** The row of the table of threats that it stands for. */
  readonly row?: Row;
  readonly base: Base;
  /** Beside those of the base. Cases of one base share one application, so that paths must differ where answers do. */
  readonly routes?: readonly Route[];
  readonly needs?: readonly Feature[];
  readonly steps: readonly Step[];
  /** How the steps are taken: one after the other, each on a connection of its own (default); or otherwise. */
  readonly how?: 'on one connection' | 'at once';
}

/** An application, but for the routes that cases add. Plain data: equal bases share one running application. */
export interface Base extends Partial<Arrangement> {
  readonly policy: PolicyDocument;
  /** What differs from `banked`. */
  readonly profile?: Partial<Profile>;
  readonly unmatched?: 'refuse';
  readonly plaintext?: 'accept';
  readonly limits?: Partial<Limits>;
  readonly requireTls?: E2eeServerOptions['requireTls'];
  /** The adapter is given no `recipient`. */
  readonly withoutRecipients?: boolean;
  /** The adapter is given a server end made beforehand in place of options. */
  readonly server?: boolean;
  readonly routes: readonly Route[];
}

export interface Step {
  readonly send: Sending;
  /** What must come back; of several, one of them. Nothing can be said of a call that the client cuts. */
  readonly expect?: Outcome | readonly Outcome[];
}

/** A request. */
export interface Sending {
  readonly method: string;
  /** Goes into the request line as it is. */
  readonly target: string;
  /** Beside those that the body needs. `null` leaves one out; a function reads it from the answer before this one. */
  readonly headers?: Readonly<
    Record<string, string | null | ((before: Readonly<Record<string, string>>) => string | undefined)>
  >;
  /** Text and bytes go as they are, anything else as JSON. May hold tokens, made by {@link sealed} and the like. */
  readonly body?: unknown;
  /** Whom the answer is for. Default: nobody. */
  readonly recipient?: string;
  /** In chunks, without a length. */
  readonly chunked?: boolean;
  readonly cut?: Cut;
}

/** What comes back, and what the handler has seen. */
export interface Outcome {
  /** `broken off`: the server closes the connection, as some do in the middle of a body that is too large. */
  readonly status: number | '4xx' | '5xx' | 'broken off' | readonly number[];
  /** Exactly this body, once, under this type; or that no handler was called. Not looked at where it is left out. */
  readonly handler?: 'not called' | 'called' | { readonly body: unknown; readonly type?: RegExp };
  /** The JSON of the answer. May hold what {@link opensAs} makes. */
  readonly json?: unknown;
  /** Members that the JSON of the answer has, at the least. */
  readonly includes?: unknown;
  readonly text?: string | RegExp;
  /** The answer is `application/jose`, and this is the JSON inside. */
  readonly message?: unknown;
  /** `null`: there is none. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  /** Status, reason, headers and body are those of the answer to this. */
  readonly sameAs?: Sending;
  /** Values with the canary in them that the answer may show. */
  readonly shows?: readonly string[];
  /** How many private-key operations it has taken. */
  readonly keyOperations?: number;
}

/** Stands in a request for what is made when it is sent. */
export class Made {
  readonly make: (keys: Keys) => unknown;

  constructor(make: (keys: Keys) => unknown) {
    this.make = make;
  }
}

/** Stands in an expected answer for a token to the partner. */
export class Opening {
  readonly value: unknown;
  readonly as: 'json' | 'text';

  constructor(value: unknown, as: 'json' | 'text') {
    this.value = value;
    this.as = as;
  }
}

/** Stands for the body that a handler sees where there is none: each framework has its own idea. */
export const NOTHING: unique symbol = Symbol('no body');

/** A value as a token for the server. */
export function sealed(value: unknown, as: 'json' | 'text' = 'json'): Made {
  return sealedText(as === 'text' ? String(value) : JSON.stringify(value));
}

/** A text as a token for the server, also one that is no JSON. */
export function sealedText(text: string): Made {
  return new Made(({ bank }) => seal(text, bank));
}

/** A token to the partner that holds this value. */
export function opensAs(value: unknown, as: 'json' | 'text' = 'json'): Opening {
  return new Opening(value, as);
}

type More = Omit<Sending, 'method' | 'target' | 'body'>;

export function get(target: string, more: More = {}): Sending {
  return { method: 'GET', target, ...more };
}

export function post(target: string, body?: unknown, more: More = {}): Sending {
  return { method: 'POST', target, body, ...more };
}

/** Headers of a whole message. */
export const JOSE = { 'content-type': 'application/jose' } as const;

export const MASK = '[REDACTED]';

/** What a peer learns of a failure on the server's side. */
const INTERNAL = 'The request could not be processed';

/** A refusal of the request, in the form of the profile. The handler is not called. */
export function refused(code: string, path = 'body', status: Outcome['status'] = 400): Outcome {
  return { status, handler: 'not called', includes: { errors: [{ code, source: path }] } };
}

/** A body that a parser or the adapter refuses, each in its own form. */
export const UNREADABLE: Outcome = { status: [400, 413, 415], handler: 'not called' };

/** A body beyond all bounds. */
export const TOO_LARGE: readonly Outcome[] = [
  { status: [400, 413], handler: 'not called', keyOperations: 0 },
  { status: 'broken off', handler: 'not called', keyOperations: 0 },
];

/** The response cannot be protected: nothing of it is there. */
export const WITHHELD: Outcome = {
  status: 500,
  includes: { errors: [{ title: INTERNAL }] },
  headers: { 'content-type': /^application\/json/ },
};

/** A response that reads so once it is protected, or is withheld: adapters may differ in which. */
export function protectedOrWithheld(json: unknown): readonly Outcome[] {
  return [{ status: 200, json }, WITHHELD];
}

/** One request, one answer. */
export function once(send: Sending, expect: Outcome | readonly Outcome[]): Pick<ServerCase, 'steps'> {
  return { steps: [{ send, expect }] };
}
