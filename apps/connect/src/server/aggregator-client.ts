import { aggregatorOrigin } from './aggregator-url.js';

/** What the aggregator answered, as bytes. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/** The aggregator gave no answer: `aggregator_unreachable` (502) or `aggregator_timeout` (504). */
export class NoAnswer extends Error {
  readonly status: 502 | 504;
  readonly code: string;

  constructor(cause: unknown) {
    const isLate = Object(cause).name === 'TimeoutError';
    super(isLate ? 'The aggregator did not answer in time' : 'The aggregator cannot be reached', { cause });
    this.status = isLate ? 504 : 502;
    this.code = isLate ? 'aggregator_timeout' : 'aggregator_unreachable';
  }
}

export interface AggregatorCall {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** The user's, which the page does not know. */
  readonly token?: string;
  readonly type?: string | undefined;
  readonly body?: Buffer;
}

/** Calls the aggregator's API. Bytes go as they are. Rejects with {@link NoAnswer}. */
export class AggregatorClient {
  readonly #url: string;
  readonly #timeout: number;

  /** `timeout` in milliseconds, for the whole call. Throws when the URL is more than an origin. */
  constructor(url: string, timeout: number) {
    this.#url = aggregatorOrigin(url);
    this.#timeout = timeout;
  }

  async call({ method, path, token, type, body }: AggregatorCall): Promise<Answer> {
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(type !== undefined && { 'content-type': type }),
        },
        ...(body !== undefined && body.length > 0 && { body: new Uint8Array(body) }),
        redirect: 'manual',
        signal: AbortSignal.timeout(this.#timeout),
      });
      const answer = Buffer.from(await response.arrayBuffer());
      return {
        status: response.status,
        type: response.headers.get('content-type') ?? 'application/json',
        body: answer,
      };
    } catch (error) {
      throw new NoAnswer(error);
    }
  }

  /** A new user's token. */
  async newUser(): Promise<string> {
    const { status, body } = await this.call({ method: 'POST', path: '/auth/init' });
    const token: unknown = status === 200 ? JSON.parse(body.toString('utf8')).auth_token : undefined;
    if (typeof token === 'string') return token;
    throw new NoAnswer(new Error(`The aggregator made no user: ${status}`));
  }
}
