/** An HTTP/1.1 message as it was received, byte for byte, and what it says. */
export interface ReceivedMessage {
  readonly startLine: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without the framing of chunks. */
  readonly body: Buffer;
}

export interface Parsed {
  readonly message: ReceivedMessage;
  /** Where the next message begins. */
  readonly end: number;
}

const HEAD_END = '\r\n\r\n';

/** Reads the message that begins at `start` (RFC 9112). Nothing when it is not complete yet. */
export function parseMessage(bytes: Buffer, start: number): Parsed | undefined {
  const headEnd = bytes.indexOf(HEAD_END, start);
  if (headEnd < 0) return undefined;
  const [startLine = '', ...lines] = bytes.toString('latin1', start, headEnd).split('\r\n');
  const headers = Object.fromEntries(lines.map(splitHeader));
  const content = readBody(bytes, headEnd + HEAD_END.length, headers);
  return content && { message: { startLine, headers, body: content.body }, end: content.end };
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

interface Content {
  readonly body: Buffer;
  readonly end: number;
}

function readBody(
  bytes: Buffer,
  start: number,
  headers: Readonly<Record<string, string>>,
): Content | undefined {
  if (/\bchunked\b/i.test(headers['transfer-encoding'] ?? '')) return readChunks(bytes, start);
  const end = start + Number(headers['content-length'] ?? 0);
  return end <= bytes.length ? { body: bytes.subarray(start, end), end } : undefined;
}

function readChunks(bytes: Buffer, start: number): Content | undefined {
  const chunks: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const dataEnd = lineEnd + 2 + size;
    if (dataEnd + 2 > bytes.length) return undefined;
    if (size === 0) return { body: Buffer.concat(chunks), end: dataEnd + 2 };
    chunks.push(bytes.subarray(lineEnd + 2, dataEnd));
    at = dataEnd + 2;
  }
}
