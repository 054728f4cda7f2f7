import { buffer } from 'node:stream/consumers';
import axios from 'axios';
import Koa from 'koa';

/** A request and its answer as the intermediate server has them in its log. */
export interface Passed {
  readonly method: string;
  readonly path: string;
  readonly request: Buffer;
  readonly status: number;
  readonly response: Buffer;
}

export interface IntermediateOptions {
  /** The API behind. */
  readonly target: string;
  /** The user's token, which the user interface does not know. */
  readonly token: string;
  readonly log: (passed: Passed) => void;
}

/** What an application's own back end does: adds the token, passes the call on and logs it. It has no key. */
export function createIntermediate({ target, token, log }: IntermediateOptions): Koa {
  return new Koa().use(async (ctx) => {
    const { method, url: path } = ctx;
    const request = await buffer(ctx.req);
    const { status, data, headers } = await axios.request<Buffer>({
      method,
      url: target + path,
      headers: { authorization: `Bearer ${token}`, 'content-type': ctx.get('content-type') },
      ...(request.length > 0 && { data: request }),
      responseType: 'arraybuffer',
      validateStatus: () => true,
      proxy: false,
    });
    log({ method, path, request, status, response: data });
    ctx.body = data;
    ctx.status = status;
    ctx.set('content-type', String(headers['content-type'] ?? 'application/json'));
  });
}
