import type { IncomingMessage } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';

/** Headers with one text each. */
export function plainHeaders({ headers }: Pick<IncomingMessage, 'headers'>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** Whether a request has a body, as far as its head tells; one in chunks may turn out to be empty. */
export function isSent(req: IncomingMessage): boolean {
  const { headers } = req;
  // HTTP/2 needs neither header: the frame with the headers says whether anything follows (RFC 9113 §8.1).
  const stream: Partial<ServerHttp2Stream> | undefined = Reflect.get(req, 'stream');
  if (stream?.endAfterHeaders === false) return true;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Whether somebody has read the body, be it empty. */
export function isRead(req: IncomingMessage): boolean {
  return req.readableDidRead || req.readableEnded;
}

/** Whether the connection itself is TLS 1.2 or later. */
export function cameByTls({ socket }: IncomingMessage): boolean {
  const { encrypted, getProtocol } = socket as Partial<TLSSocket>;
  return encrypted === true && /^TLSv1\.[2-9]$/.test(getProtocol?.call(socket) ?? '');
}
