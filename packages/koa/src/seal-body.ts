import zlib from 'node:zlib';
import type { ResponseGuard } from '@e2ee/core/adapter';
import type { Context } from 'koa';

/** How content codings are undone. Zstandard is younger than the oldest Node. */
const DECODERS = new Map<unknown, unknown>([
  ['gzip', zlib.gunzipSync],
  ['deflate', zlib.inflateSync],
  ['br', zlib.brotliDecompressSync],
  ['zstd', Reflect.get(zlib, 'zstdDecompressSync')],
]);

/**
 * Lets exactly `bytes`, the body that the context has now, pass the guard: as they are, or compressed by middleware
 * outside. Anything else comes to the guard as if a handler had written it.
 */
export function sealBody({ res, response }: Context, guard: ResponseGuard, bytes: Buffer): void {
  const { write, end } = res;
  const { body } = response;
  const longest = bytes.length + (bytes.length >> 6) + 1024; // compression may lengthen what is short
  const calls: (() => unknown)[] = [];
  const chunks: Buffer[] = [];

  const hold =
    (method: typeof write | typeof end) =>
    (...args: unknown[]): unknown => {
      chunks.push(bytesOf(args));
      calls.push(() => Reflect.apply(method, res, args));
      const isAll = method === end;
      if (isAll && isSealed()) guard.release();
      if (isAll || lengthOf(chunks) > longest) handOver();
      return isAll ? res : true;
    };

  function isSealed(): boolean {
    if (res.req.method === 'HEAD') return response.body === body;
    const decode = DECODERS.get(res.getHeader('content-encoding'));
    const written = Buffer.concat(chunks);
    try {
      return bytes.equals(
        typeof decode === 'function' ? decode(written, { maxOutputLength: longest }) : written,
      );
    } catch {
      return false;
    }
  }

  function handOver(): void {
    Object.assign(res, { write, end });
    for (const call of calls) call();
  }

  Object.assign(res, { write: hold(write), end: hold(end) });
}

/** The bytes of the arguments of `write` and `end`. */
function bytesOf([chunk, encoding]: readonly unknown[]): Buffer {
  if (typeof chunk === 'string')
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'); // throws for an unknown one, as Node does
  return chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.alloc(0);
}

function lengthOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
