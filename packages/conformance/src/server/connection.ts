import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

/** An answer, byte for byte. */
export interface WireAnswer {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case; of several headers of one name, the values joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names in the order and the letter case in which they came. */
  readonly headerNames: readonly string[];
  /** The body after chunking and compression are undone. */
  readonly text: string;
  /** Everything that came, head included, and the body as `text` has it. */
  readonly everything: string;
}

/** When the client breaks off by itself. */
export type Cut = 'in the body' | 'before the answer' | 'in the answer';

const TIMEOUT = 5_000;
const HEAD_END = '\r\n\r\n';

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

/** A bare connection to loopback. It sends what it is given, whatever that is. */
export class Connection {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #failure: Error | undefined;
  #wake = (): void => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#received.push(chunk);
      this.#wake();
    });
    // A server may close while a body is still on its way; what it has answered is read all the same.
    socket.on('error', (error) => {
      this.#failure = error;
    });
    for (const event of ['end', 'close']) socket.on(event, () => this.#wake());
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends one request and resolves to the answer to it. Rejects when the server breaks off, or says nothing. */
  async exchange(head: string, body: Buffer): Promise<WireAnswer> {
    if (this.#received.some((chunk) => chunk.length > 0)) throw new Error('More came than one answer');
    const isHead = head.startsWith('HEAD ');
    this.#socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
    const bytes = await this.#until((received, ended) => length(received, isHead, ended));
    return parse(bytes, isHead);
  }

  /** Sends one request, or the half of it, and breaks off. */
  async cut(when: Cut, head: string, body: Buffer): Promise<void> {
    const sent = when === 'in the body' ? body.subarray(0, body.length / 2) : body;
    this.#socket.write(Buffer.concat([Buffer.from(head, 'latin1'), sent]));
    if (when === 'in the answer') await this.#until((received) => (received.length > 0 ? 1 : undefined));
    else await new Promise((done) => setTimeout(done, 10)); // the server shall have begun
    this.#socket.resetAndDestroy();
  }

  /** Resolves to what was received as soon as `end` knows where the answer ends; what comes later is not read yet. */
  async #until(end: (received: Buffer, ended: boolean) => number | undefined): Promise<Buffer> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, TIMEOUT);
    try {
      while (true) {
        const received = Buffer.concat(this.#received);
        const ended = this.#socket.readableEnded || this.#socket.destroyed;
        const size = end(received, ended);
        if (size !== undefined) {
          this.#received = [received.subarray(size)];
          return received.subarray(0, size);
        }
        if (ended) throw new BrokenOff(this.#failure?.message ?? 'the connection ended');
        if (isLate) throw new Error(`No answer in ${TIMEOUT} ms, only: ${received.subarray(0, 80)}`);
        this.#received = [received];
        await new Promise<void>((done) => {
          this.#wake = done;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The server closed the connection before its answer was complete. */
export class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

/** The head of a request. Header names go as they are. */
export function requestHead(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/** A body in chunks. */
export function chunked(body: Buffer): Buffer {
  const half = Math.ceil(body.length / 2);
  const chunks = [body.subarray(0, half), body.subarray(half)].filter((chunk) => chunk.length > 0);
  const framed = chunks.map((chunk) => [`${chunk.length.toString(16)}\r\n`, chunk, '\r\n']);
  return Buffer.concat(
    [...framed.flat(), '0\r\n\r\n'].map((part) => (typeof part === 'string' ? Buffer.from(part) : part)),
  );
}

/** How long the answer is that these bytes begin with; undefined until it is complete. */
function length(bytes: Buffer, isHead: boolean, ended: boolean): number | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const bodyStart = headEnd + HEAD_END.length;
  const { status, headers } = parseHead(bytes.subarray(0, headEnd).toString('latin1'));
  if (isHead || status === 204 || status === 304) return bodyStart;
  if (headers['content-length'] !== undefined) {
    const total = bodyStart + Number(headers['content-length']);
    return bytes.length >= total ? total : undefined;
  }
  if (headers['transfer-encoding'] === 'chunked') {
    const isComplete = bytes.subarray(-5).toString('latin1') === '0\r\n\r\n';
    return isComplete ? bytes.length : undefined;
  }
  return ended ? bytes.length : undefined;
}

function parse(bytes: Buffer, isHead: boolean): WireAnswer {
  const headEnd = bytes.indexOf(HEAD_END);
  const head = parseHead(bytes.subarray(0, headEnd).toString('latin1'));
  const raw = bytes.subarray(headEnd + HEAD_END.length);
  const whole = head.headers['transfer-encoding'] === 'chunked' && !isHead ? dechunked(raw) : raw;
  const decode = DECODERS[head.headers['content-encoding'] ?? ''];
  const text = (decode && whole.length > 0 ? decode(whole) : whole).toString();
  return { ...head, text, everything: `${bytes.toString('latin1')}\n${bytes}\n${text}` };
}

function parseHead(text: string): Pick<WireAnswer, 'status' | 'reason' | 'headers' | 'headerNames'> {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, status = '', reason = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
  const pairs = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  const headers: Record<string, string> = {};
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
  }
  return { status: Number(status), reason, headers, headerNames: pairs.map(([name]) => name) };
}

function dechunked(raw: Buffer): Buffer {
  const parts: Buffer[] = [];
  let rest = raw;
  while (true) {
    const lineEnd = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.subarray(0, lineEnd).toString('latin1'), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
    rest = rest.subarray(lineEnd + 2 + size + 2);
  }
}
