import type { IncomingMessage } from 'node:http';
import { finished, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { E2eeError } from '../errors.js';
import { mediaType } from '../exchange/message.js';
import type { E2eeServer } from '../exchange/server.js';
import { isRead, isSent, plainHeaders } from './request-stream.node.js';

/** The content codings that are understood (RFC 9110 §8.4.1). */
const DECODERS = new Map<string, () => Transform | undefined>([
  ['identity', () => undefined],
  ['gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/**
 * Reads a body that is one token, in UTF-8 and `server.message.maxLength` bytes at most, decompressed. Resolves to
 * nothing where there is no body, where it has another content type, and where somebody has read it already: then the
 * framework's parsers are in charge of it.
 *
 * Rejects with `body_too_large`, `media_type_unsupported` (an unknown charset or content coding) or `body_unreadable`
 * (broken off, badly compressed). What is left of the body is passed over, so that the connection can be used again.
 */
export async function readMessage(
  req: IncomingMessage,
  { contentType, maxLength }: E2eeServer['message'],
): Promise<string | undefined> {
  const headers = plainHeaders(req);
  if (mediaType(headers) !== contentType || !isSent(req) || isRead(req)) return undefined;
  const decoder = DECODERS.get((headers['content-encoding'] ?? 'identity').trim().toLowerCase());
  if (!decoder) unsupported('content coding');
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^(?:utf-8|us-ascii)$/i.test(charset)) unsupported('charset');
  try {
    return await readText(decoded(req, decoder()), maxLength);
  } catch (error) {
    if (error instanceof E2eeError) throw error;
    throw new E2eeError('body_unreadable', 'The body could not be read', { cause: error });
  } finally {
    req.unpipe().resume();
  }
}

/** The bytes as they were before the content coding. Breaks off when they do, which `pipe` does not see to. */
function decoded(req: IncomingMessage, decoder: Transform | undefined): IncomingMessage | Transform {
  if (!decoder) return req;
  finished(req, (error) => {
    if (error) decoder.destroy(error);
  });
  return req.pipe(decoder);
}

async function readText(source: IncomingMessage | Transform, maxLength: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // A destroyed request takes the connection, and with it the answer, along.
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > maxLength) throw new E2eeError('body_too_large', 'The body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function unsupported(what: string): never {
  throw new E2eeError('media_type_unsupported', `The ${what} of the body is not understood`);
}
