import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { parseMessage, type ReceivedMessage } from './http-message.js';

/** A request and its answer as they passed by. */
export interface Exchange {
  readonly request: ReceivedMessage;
  readonly response: ReceivedMessage;
}

/** Stands between two sockets and writes down every byte. It knows nothing of the library. */
export interface Recorder {
  readonly url: string;
  /** The exchanges that were completed since the last time, in the order in which they began. */
  take(): Exchange[];
  close(): Promise<void>;
}

/** Listens on loopback and passes every byte on to `targetPort`. */
export async function startRecorder(targetPort: number): Promise<Recorder> {
  const connections: Connection[] = [];
  const clock: Clock = { ticks: 0 };
  const server = createServer((client) => {
    connections.push(new Connection(client, connect(targetPort, '127.0.0.1'), clock));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  return {
    url: `http://127.0.0.1:${port}`,
    take: () =>
      connections
        .flatMap((connection) => connection.take())
        .sort((a, b) => a.began - b.began)
        .map(({ exchange }) => exchange),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of connections) connection.destroy();
      }),
  };
}

/** Counts chunks, so that exchanges on different connections can be put in order. */
interface Clock {
  ticks: number;
}

class Connection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #requests: Tape;
  readonly #responses: Tape;

  constructor(client: Socket, server: Socket, clock: Clock) {
    this.#client = client;
    this.#server = server;
    this.#requests = new Tape(client, server, clock);
    this.#responses = new Tape(server, client, clock);
    for (const socket of [client, server]) {
      socket.on('error', () => this.destroy());
      socket.on('close', () => this.destroy());
    }
  }

  /** HTTP/1.1 answers in order: the first unread request belongs to the first unread response. */
  take(): { began: number; exchange: Exchange }[] {
    const taken: { began: number; exchange: Exchange }[] = [];
    while (this.#requests.peek() && this.#responses.peek()) {
      const { message: request, began } = this.#requests.shift();
      taken.push({ began, exchange: { request, response: this.#responses.shift().message } });
    }
    return taken;
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}

/** The bytes of one direction. */
class Tape {
  readonly #chunks: { readonly start: number; readonly tick: number }[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #read = 0;

  constructor(from: Socket, to: Socket, clock: Clock) {
    from.on('data', (data: Buffer) => {
      clock.ticks += 1;
      this.#chunks.push({ start: this.#bytes.length, tick: clock.ticks });
      this.#bytes = Buffer.concat([this.#bytes, data]);
    });
    from.pipe(to);
  }

  peek(): boolean {
    return parseMessage(this.#bytes, this.#read) !== undefined;
  }

  shift(): { message: ReceivedMessage; began: number } {
    const parsed = parseMessage(this.#bytes, this.#read);
    if (!parsed) throw new Error('Nothing complete is left on this tape');
    const began = this.#chunks.findLast(({ start }) => start <= this.#read)?.tick ?? 0;
    this.#read = parsed.end;
    return { message: parsed.message, began };
  }
}
