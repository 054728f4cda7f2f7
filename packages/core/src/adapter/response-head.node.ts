import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { bodyText, type E2eeResponse, headersForBody } from '../exchange/message.js';

/** These have no `Content-Length` (RFC 9110 §8.6). */
const WITHOUT_LENGTH = [204, 304];

const ALLOWED_ORIGIN = 'access-control-allow-origin';

/** Headers that say something of a body, and are wrong for another one. */
const BODY_HEADERS =
  /^(?:content-(?:length|encoding|type|range|md5|digest|disposition|language|location)|digest|etag|last-modified)$/;

/** Sends an answer of the library's own: a refusal, the published keys. Cookies and the like stay as they are. */
export function sendAnswer(res: ServerResponse, answer: E2eeResponse): void {
  res.end(prepare(res, { ...answer, headers: besideOwn(answer.headers, res.getHeaders()) }));
}

/** The headers of such an answer beside the application's own, who decides which origins it allows. Names in lower case. */
export function besideOwn(headers: E2eeResponse['headers'], own: object): Record<string, string> {
  const { [ALLOWED_ORIGIN]: allowed, ...others } = headers;
  return allowed === undefined || ALLOWED_ORIGIN in own ? others : { ...others, [ALLOWED_ORIGIN]: allowed };
}

/** Brings the head to that of `answer`, framing included, and returns the bytes that belong to it. */
export function prepare(res: ServerResponse, answer: E2eeResponse): Buffer | undefined {
  applyHead(res, answer);
  dropReason(res, answer);
  const payload = payloadOf(answer);
  for (const name of ['content-length', 'transfer-encoding', 'trailer']) res.removeHeader(name);
  if (!WITHOUT_LENGTH.includes(answer.status)) res.setHeader('content-length', payload?.length ?? 0);
  return payload;
}

/** Brings status and headers to those of `answer`. Cookies and the like stay as they are. */
export function applyHead(res: ServerResponse, { status, headers }: E2eeResponse): void {
  // It belongs to the other status. HTTP/2 has none, and warns of one that is set.
  if (res.statusCode !== status) Reflect.deleteProperty(res, 'statusMessage');
  res.statusCode = status;
  const before = headersOf(res);
  for (const name of Object.keys(before))
    if (BODY_HEADERS.test(name) && !(name in headers)) res.removeHeader(name);
  for (const [name, value] of Object.entries(headers))
    if (name !== 'set-cookie' && before[name] !== value) res.setHeader(name, value);
}

/** Takes away the length, the hash and the like of a body that is not sent. */
export function forgetBody(res: ServerResponse): void {
  applyHead(res, { status: res.statusCode, headers: headersForBody(headersOf(res)) });
}

/** A reason that somebody wrote for an error may say what its body must not. */
export function dropReason(res: ServerResponse, { status }: E2eeResponse): void {
  if (status >= 400) Reflect.deleteProperty(res, 'statusMessage');
}

/** Bytes, because frameworks add a charset to the content type of a text. */
export function payloadOf(response: E2eeResponse): Buffer | undefined {
  const text = bodyText(response);
  return text === undefined ? undefined : Buffer.from(text);
}

/** The headers set so far. Names are in lower case, lists are joined. */
export function headersOf(res: ServerResponse): Record<string, string> {
  return Object.fromEntries(Object.entries(res.getHeaders()).map(([name, value]) => [name, String(value)]));
}

/** Sets the headers of `writeHead`: an object, or a flat list of names and values in which a name may come twice. */
export function setHeaders(res: ServerResponse, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return;
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders))
      res.setHeader(name, value as OutgoingHttpHeader); // Node itself refuses other values
    return;
  }
  const names = headers.filter((_, i) => i % 2 === 0);
  for (const name of names) res.removeHeader(name);
  names.forEach((name, i) => void res.appendHeader(name, headers[2 * i + 1]));
}
