import type { E2eeClient, E2eeClientOptions } from '@e2ee/core';

/** An HTTP client with its adapter. One small file makes one: see `subjects/axios.ts`. */
export interface ClientSubject {
  /** Heads a column of the matrix: `Axios 1.21.1 http`. */
  readonly name: string;
  /** What it does not have, and why. The cases that need it are left out, and the matrix says so. */
  readonly unsupported?: Readonly<Partial<Record<ClientFeature, string>>>;
  /** Faults that are known: the name of a case, and what is wrong. Such a case must fail. */
  readonly faults?: Readonly<Record<string, string>>;
  /** Makes a client of `setup`, with encryption installed. */
  readonly open: (setup: ClientSetup) => Client | Promise<Client>;
}

/** What a client is made of. */
export interface ClientSetup extends ClientSurroundings {
  /** What every path is appended to. Without a slash at its end. */
  readonly baseUrl: string;
  /** For the adapter: `e2ee(api, setup.options)`; or a client end made beforehand: `e2ee(api, setup.client)`. */
  readonly options: E2eeClientOptions;
  readonly client?: E2eeClient;
  /** For connections by TLS: `new Agent(setup.tls)`. */
  readonly tls?: { readonly ca: string; readonly minVersion?: string; readonly secureProtocol?: string };
}

/** What else an application has installed on its client. */
export interface ClientSurroundings {
  /** Whether all this is registered before encryption, or after it (default). */
  readonly position?: 'before' | 'after';
  /** An interceptor of requests. */
  readonly request?: (outgoing: Outgoing) => Outgoing | Promise<Outgoing>;
  /** An interceptor of responses and of error responses, which is told their body. */
  readonly response?: (body: unknown) => void;
  /** A transformation of the body before the client serialises it. */
  readonly transform?: (body: unknown) => unknown;
  /** A transformation of the text that the client has made of the body. */
  readonly transformText?: (text: string) => string;
  /** The last step of all, where what is sent is signed: what it returns goes into the header `x-signature`. */
  readonly sign?: (text: string) => string;
  /** A retry library of the client's world: two retries, after every error, without a pause. */
  readonly retries?: boolean;
}

/** A request as an interceptor sees it. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Client {
  /** Resolves to an answer of any status. Rejects when there is none, or when it could not be decrypted. */
  readonly send: (request: ClientRequest) => Promise<Reply>;
  /** Sends again what has failed with an error, made from nothing but that error. */
  readonly resend?: (error: unknown) => Promise<Reply>;
  readonly eject: () => void;
  readonly close: () => void | Promise<void>;
}

export interface ClientRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A JSON value; or text and whatever else the platform sends (`FormData`, a stream, …), which goes in as it is. */
  readonly body?: unknown;
  /** In milliseconds. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Parameters of the query, where the client builds it. */
  readonly params?: Readonly<Record<string, string>>;
  /** As what the body is asked for. The client gives JSON as a value, everything else as text. Default `json`. */
  readonly read?: 'json' | 'text' | 'bytes' | 'stream';
  /** For which statuses the client is told to reject. */
  readonly rejects?: 'all' | 'none';
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** What the client has thrown, where it throws for a status. */
  readonly error?: unknown;
  /** What an application may write to its log: the client's own response, its error. */
  readonly shown: readonly unknown[];
}

/** What a case may need of a client, and a subject may not have. */
export type ClientFeature =
  | 'request interceptors'
  | 'response interceptors'
  | 'transformations'
  | 'a last step'
  | 'a retry library'
  /** `resend`: an error from which the request can be sent again. */
  | 'errors that can be sent again'
  | 'params'
  /** Tells all of several headers of one name. */
  | 'headers of several values'
  /** `rejects`: the application says which statuses are errors. */
  | 'a choice of statuses'
  | 'read: text'
  | 'read: bytes'
  | 'read: stream'
  /** `setup.tls`. */
  | 'options of TLS'
  /** The body of a request as a Node stream. */
  | 'Node streams'
  /** Follows a redirection, with the body where that is due. */
  | 'redirections'
  /** Follows a redirection to this machine although `requireTls` is set. */
  | 'redirections with requireTls'
  /** Serialises the body, so that one that JSON cannot hold gets as far as the client. */
  | 'JSON values'
  /** The path of the policy begins somewhere in the base URL. */
  | 'a base URL';
