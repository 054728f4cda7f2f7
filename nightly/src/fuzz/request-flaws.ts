import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { type Draft, requestBytes, withHeader } from './draft.js';
import type { Random } from './random.js';

/* Requests that are wrong as HTTP, or only unusual. */

type Rewrite = (path: string, random: Random) => string;

const PATHS: readonly Rewrite[] = [
  (path) => path.toUpperCase(),
  (path) => `${path}/`,
  (path) => `/${path}`,
  (path) => path.replaceAll('/', '//'),
  (path, random) => encodedAt(path, random.below(path.length)),
  (path, random) => encodedAt(path, random.below(path.length)).toLowerCase(),
  (path) => path.replace(/\/(?=[^/]*$)/, '%2f'),
  (path) => path.replace(/\/(?=[^/]*$)/, '%5c'),
  (path) => path.replace(/\/(?=[^/]*$)/, '\\'),
  (path) => path.replace(/^\/v2/, '/v2/.'),
  (path) => path.replace(/^\/v2/, '/x/../v2'),
  (path) => path.replace(/^\/v2/, '/x/%2e%2e/v2'),
  (path) => path.replace(/^\/v2/, '/v2/%252e'),
  (path, random) =>
    path +
    random.pick([
      '?',
      '?x=1',
      '?payee=lure',
      '#x',
      ';x=1',
      ';',
      '%00',
      '%20',
      ' ',
      '.',
      '.json',
      '%',
      '%zz',
      '%ff',
      '\u00e9',
      '/..',
      '/.',
      '/%2e%2e',
      '%0d%0ax:y',
      '\t',
    ]),
  (path) => `http://127.0.0.1${path}`,
  (path) => `http://elsewhere${path}`,
  (path) => `//elsewhere${path}`,
  (path) => path.slice(1),
  () => '*',
  () => '/',
  () => `/v2/payment_sessions/${'x'.repeat(9_000)}`,
  () => '/.well-known/jwks.json',
  () => '/v2/payment_sessions/%2e%2e/payment_sessions',
  () => '/v2/payment_sessions/__proto__',
];
const METHODS = [
  'PUT',
  'PATCH',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'post',
  'Post',
  'X',
  'QUERY',
  'POST\t',
  'PRI',
  '',
];
const TYPES = [
  '',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jose',
  'application/jose; charset=utf-16',
  'application/JSON',
  'application/json;charset=utf-16',
  'application/json; charset=utf-7',
  'application/json; charset="UTF-8"',
  'application/json; charset=us-ascii',
  'application/json, text/plain',
  'application/vnd.api+json',
  'application/json\t',
  'application/json;',
  ';',
  'application/octet-stream',
  'text/json',
  'application/jsonp',
  '*/*',
  'application/json; charset=iso-8859-1',
  'application/json; charset=__proto__',
];
const CODINGS: Readonly<Record<string, (body: Buffer, random: Random) => Buffer>> = {
  gzip: (body) => gzipSync(body),
  GZIP: (body) => gzipSync(body),
  deflate: (body) => deflateSync(body),
  br: (body) => brotliCompressSync(body),
  'gzip, gzip': (body) => gzipSync(gzipSync(body)),
  identity: (body) => body,
  zstd: (body) => body,
  ' gzip ': (body) => gzipSync(body).subarray(0, -9),
  'x-gzip': () => gzipSync(Buffer.alloc(3_000_000)),
  'gzip;q=1': (_, random) => random.bytes(50),
};
const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['x-http-method-override', 'PUT'],
  ['expect', '100-continue'],
  ['expect', 'x'],
  ['upgrade', 'h2c'],
  ['connection', 'upgrade, close'],
  ['connection', 'keep-alive, content-length'],
  ['range', 'bytes=0-1'],
  ['if-none-match', '*'],
  ['if-modified-since', 'x'],
  ['accept', 'text/html'],
  ['accept-encoding', 'gzip, br'],
  ['accept-charset', 'utf-7'],
  ['x-client', 'message'],
  ['x-client', '__proto__'],
  ['x-client', 'encrypt, redact'],
  ['cookie', 'a=b'.repeat(500)],
  ['x-forwarded-proto', 'https'],
  ['x-forwarded-host', 'elsewhere'],
  ['x-original-url', '/open'],
  ['host', ''],
  ['host', 'a b'],
  ['content-md5', 'x'],
  ['digest', 'x'],
  ['trailer', 'x'],
  ['te', 'trailers'],
  ['x-long', 'x'.repeat(20_000)],
  ['x-bytes', '\u00ff\u0080'],
  ['x-nul', 'a\0b'],
  ['x-fold', 'a\r\n b'],
  ['x injected', '1'],
  ['x-a', 'b\r\nx-client: encrypt'],
  ['__proto__', 'x'],
  ['constructor', 'x'],
  ['x-act', 'missing'],
  ['x-act', 'empty'],
];

/** The same request to an odd path. */
export function oddPath(draft: Draft, random: Random): Draft {
  const [method = '', path = ''] = draft.start.split(' ');
  return { ...draft, start: `${method} ${random.pick(PATHS)(path, random)}` };
}

export function oddMethod(draft: Draft, random: Random): Draft {
  return { ...draft, start: draft.start.replace(/^\w+/, random.pick(METHODS)) };
}

export function oddType(draft: Draft, random: Random): Draft {
  const type = random.pick(TYPES);
  if (type.endsWith('utf-16'))
    return withHeader({ ...draft, body: Buffer.from(String(draft.body), 'utf16le') }, 'content-type', type);
  if (type.includes('form-urlencoded') && random.chance(0.5))
    return withHeader(
      { ...draft, body: 'payee=lure&account_number=lure&actions[0][source]=lure&__proto__[x]=1' },
      'content-type',
      type,
    );
  return withHeader(draft, 'content-type', type);
}

export function oddCoding(draft: Draft, random: Random): Draft {
  const coding = random.pick(Object.keys(CODINGS));
  const body = CODINGS[coding]?.(Buffer.from((draft.body ?? '') as Uint8Array), random); // Buffer.from takes either
  return withHeader({ ...draft, body }, 'content-encoding', coding);
}

export function oddHeaders(draft: Draft, random: Random): Draft {
  const more = Array.from({ length: random.pick([1, 1, 1, 2, 5, 300]) }, () => random.pick(HEADERS));
  return {
    ...draft,
    headers: random.chance(0.5) ? [...draft.headers, ...more] : [...more, ...draft.headers],
  };
}

type Framing = (draft: Draft, random: Random) => Buffer;

const chunked =
  (join: (body: Buffer, random: Random) => string | Buffer, coding = 'chunked', more = ''): Framing =>
  (draft, random) => {
    const { start, headers, body = '' } = draft;
    const head = requestBytes({
      start,
      headers: [...headers, ['transfer-encoding', coding]],
      body: undefined,
    }).toString('latin1');
    const framed = join(Buffer.from(body as Uint8Array), random); // Buffer.from takes either
    return Buffer.concat([
      Buffer.from(`${head.slice(0, -2)}${more}\r\n`, 'latin1'),
      Buffer.from(framed as Uint8Array),
    ]);
  };
const chunk = (bytes: Buffer, extension = ''): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}${extension}\r\n`), bytes, Buffer.from('\r\n')]);
const END = Buffer.from('0\r\n\r\n');

const FRAMINGS: readonly Framing[] = [
  chunked((body) => Buffer.concat([chunk(body), END])),
  chunked((body) => Buffer.concat([chunk(body.subarray(0, 7)), chunk(body.subarray(7)), END])),
  chunked((body) => Buffer.concat([chunk(body, ';x="\r"'), Buffer.from('0\r\nx-client: encrypt\r\n\r\n')])),
  chunked((body) => chunk(body)),
  chunked((body) => Buffer.concat([Buffer.from('ffffffffffffffff\r\n'), body])),
  chunked((body) => Buffer.concat([Buffer.from('-1\r\n'), body])),
  chunked((body) => Buffer.concat([chunk(body), END]), 'chunked', 'content-length: 3\r\n'),
  chunked((body) => Buffer.concat([chunk(body), END]), 'gzip, chunked'),
  chunked((body) => Buffer.concat([chunk(body), END]), ' chunked ,identity'),
  chunked(() => END),
  lengthSaid((length) => String(length + 5)),
  lengthSaid((length) => String(Math.max(0, length - 5))),
  lengthSaid(() => '-1'),
  lengthSaid(() => '0'),
  lengthSaid(() => '99999999999999999999'),
  lengthSaid((length) => `${length}\r\ncontent-length: ${length + 1}`),
  lengthSaid((length) => `+${length}`),
  lengthSaid((length) => `0x${length.toString(16)}`),
  (draft, random) => {
    const bytes = requestBytes(draft);
    return bytes.subarray(0, random.below(bytes.length));
  },
  (draft) => Buffer.concat([requestBytes(draft), requestBytes(draft)]),
  (draft) => Buffer.from(requestBytes(draft).toString('latin1').replace('HTTP/1.1', 'HTTP/1.0'), 'latin1'),
  (draft) => Buffer.from(requestBytes(draft).toString('latin1').replace('HTTP/1.1', 'HTTP/9.9'), 'latin1'),
  (draft) => Buffer.from(requestBytes(draft).toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
  (draft) => Buffer.from(requestBytes(draft).toString('latin1').replace('host: 127.0.0.1\r\n', ''), 'latin1'),
  (draft, random) => Buffer.concat([random.bytes(random.below(20)), requestBytes(draft)]),
  (draft, random) => scattered(requestBytes(draft), random),
  (draft, random) => scattered(requestBytes(draft), random),
  (_, random) => random.bytes(random.below(2_000)),
];

/** A request in an odd frame, broken off, with bytes exchanged, or nothing but bytes. */
export function oddBytes(draft: Draft, random: Random): Buffer {
  return random.pick(FRAMINGS)(draft, random);
}

function lengthSaid(said: (length: number) => string): Framing {
  return (draft) => {
    const text = requestBytes(draft).toString('latin1');
    return Buffer.from(
      text.replace(/content-length: (\d+)/, (_, length) => `content-length: ${said(Number(length))}`),
      'latin1',
    );
  };
}

function scattered(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let left = 1 + random.below(8); left > 0; left -= 1)
    copy[random.below(copy.length)] = random.below(256);
  return copy;
}

function encodedAt(path: string, at: number): string {
  return `${path.slice(0, at)}%${path.charCodeAt(at).toString(16).padStart(2, '0').toUpperCase()}${path.slice(at + 1)}`;
}
