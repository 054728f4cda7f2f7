import { connect } from 'node:net';

/** What came back for some bytes. */
export interface Answer {
  /** 0: the connection ended without an answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Everything that came. */
  readonly bytes: Buffer;
  /** Nothing more came for so long that it never will. */
  readonly hung: boolean;
}

/** After how long a request may be taken not to be complete, when nothing has come, in milliseconds. */
const PATIENCE = 1_000;
/** A server that does not end the connection either has lost it. Busy machines are slow, too. */
const LIMIT = 60_000;

/**
 * Sends bytes over a connection of their own, and resolves to the first answer; never rejects. Bytes that may not be a
 * complete request are followed by the end of the connection, sooner or later.
 */
export function send(port: number, bytes: Buffer, isComplete = true): Promise<Answer> {
  const isHead = bytes.subarray(0, 5).toString('latin1') === 'HEAD ';
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    const patience = isComplete ? undefined : setTimeout(() => socket.end(), PATIENCE);
    const limit = setTimeout(() => settle(true), LIMIT);
    const settle = (hung: boolean): void => {
      clearTimeout(patience);
      clearTimeout(limit);
      socket.destroy();
      resolve({ ...parse(received), hung });
    };
    socket.on('error', () => {}); // a server may break off while we write
    socket.on('close', () => settle(false));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (isAnswered(received, isHead)) settle(false);
    });
    socket.write(bytes);
  });
}

function isAnswered(received: Buffer, isHead: boolean): boolean {
  const { status, headers, headLength } = headOf(received);
  if (status === 0) return false;
  if (isHead || status === 101 || status === 204 || status === 304) return true;
  const length = headers['content-length'];
  if (length !== undefined) return received.length >= headLength + Number(length);
  return (
    headers['transfer-encoding'] === 'chunked' && received.subarray(-5).toString('latin1') === '0\r\n\r\n'
  );
}

function parse(bytes: Buffer): Omit<Answer, 'hung'> {
  const { status, headers, headLength } = headOf(bytes);
  return { status, headers, body: bytes.subarray(headLength).toString(), bytes };
}

/** The head of the first answer that is no interim one. */
function headOf(bytes: Buffer): { status: number; headers: Record<string, string>; headLength: number } {
  const text = bytes
    .toString('latin1')
    .replace(/^(?:HTTP\/1\.1 1(?!01)\d\d[^\r]*\r\n(?:[^\r]+\r\n)*\r\n)+/, '');
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return { status: 0, headers: {}, headLength: bytes.length };
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const pairs = lines.map((item) => [
    item.slice(0, item.indexOf(':')).toLowerCase(),
    item.slice(item.indexOf(':') + 1).trim(),
  ]);
  const headLength = bytes.length - (text.length - end - 4);
  return { status: Number(line.split(' ')[1]) || 0, headers: Object.fromEntries(pairs), headLength };
}
