/** A request as plain data: what an adapter takes from its framework and puts back. */
export interface E2eeRequest {
  /** HTTP method, in any letter case. */
  readonly method: string;
  /** Path as it was sent, with or without the query. */
  readonly path: string;
  /** Header names in any letter case. */
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON value, the text of a JSON document, or a token. `undefined`: there is none. Anything else is unreadable. */
  readonly body?: unknown;
  /**
   * Whether it came by TLS 1.2 or later (server end), or goes by that or does not leave this machine (client end). Only
   * `requireTls` asks; what is not known is not secure.
   */
  readonly secure?: boolean | undefined;
}

/** A response as plain data. */
export interface E2eeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** As in {@link E2eeRequest}. */
  readonly body?: unknown;
}

type Headers = Readonly<Record<string, string>>;

/** The value of a header, whatever the letter case of its name. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const key = Object.keys(headers).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : headers[key];
}

/** Headers that describe the bytes of a body, and are wrong as soon as it changes. */
const BODY_HEADERS = [
  'content-length',
  'content-encoding',
  'content-md5',
  'content-digest',
  'digest',
  'repr-digest',
  'etag',
];

/** Headers for another body of this content type. Keeps the type as it is where it is not given. */
export function headersForBody(headers: Headers, contentType?: string): Record<string, string> {
  const dropped = contentType === undefined ? BODY_HEADERS : [...BODY_HEADERS, 'content-type'];
  const kept = Object.entries(headers).filter(([name]) => !dropped.includes(name.toLowerCase()));
  return Object.fromEntries(contentType === undefined ? kept : [...kept, ['content-type', contentType]]);
}

/** A content type without its parameters, in lower case. */
export function mediaType(headers: Headers): string | undefined {
  return headerOf(headers, 'content-type')?.split(';')[0]?.trim().toLowerCase() || undefined;
}

/** A body as the text to send: JSON text, or a token as it is. Nothing where there is no body. */
export function bodyText({ headers, body }: Pick<E2eeResponse, 'headers' | 'body'>): string | undefined {
  if (body === undefined) return undefined;
  const isJson = /[/+]json$/.test(mediaType(headers) ?? 'application/json');
  return typeof body === 'string' && !isJson ? body : JSON.stringify(body);
}
