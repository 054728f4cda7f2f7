import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { e2ee } from '@e2ee/axios-interceptor';
import { banked, encryptJwe, remoteJwks } from '@e2ee/core';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { keyServiceClient } from './key-service-client.js';

const CANARY = 'Jane Canary 4711';
const TOKEN = randomUUID();
const UNWRAP_TIMEOUT = 400;
const RATE_LIMIT = 40;

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A program of the example, as a process. */
class Program {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  /** Everything that it has printed. */
  output = '';
  url = '';

  constructor(file: string, env: Record<string, string>) {
    const args = ['--conditions=@e2ee/source', '--import', 'tsx', join(import.meta.dirname, file)];
    this.process = spawn(process.execPath, args, {
      env: { ...process.env, KEY_SERVICE_TOKEN: TOKEN, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  static async start(file: string, env: Record<string, string>): Promise<Program> {
    const program = new Program(file, env);
    programs.push(program);
    while (!/port: \d+/.test(program.output)) {
      await Promise.race([once(program.process.stdout, 'data'), once(program.process, 'exit')]);
      if (program.process.exitCode !== null) throw new Error(`${file} has ended: ${program.output}`);
    }
    program.url = `http://127.0.0.1:${/port: (\d+)/.exec(program.output)?.[1]}`;
    return program;
  }

  /** Resolves to the exit code: null when a signal had to end it. */
  async stop(): Promise<number | null> {
    const { process } = this;
    if (process.exitCode !== null || process.signalCode !== null) return process.exitCode;
    const ended = once(process, 'exit');
    process.kill('SIGCONT');
    process.kill('SIGTERM');
    const force = setTimeout(() => process.kill('SIGKILL'), 3_000);
    const [code] = await ended;
    clearTimeout(force);
    return code;
  }
}

const programs: Program[] = [];
let directory: string;
let [service, api]: Program[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'e2ee-key-service-'));
  const KEY_FILE = join(directory, 'key.pem');
  await writeFile(KEY_FILE, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  service = await Program.start('service.ts', { KEY_FILE, RATE_LIMIT: String(RATE_LIMIT) });
  const env = { KEY_SERVICE_URL: service.url, UNWRAP_TIMEOUT: String(UNWRAP_TIMEOUT) };
  api = await Program.start('api.ts', env);
});

afterAll(async () => {
  const codes = await Promise.all(programs.map((program) => program.stop()));
  await rm(directory, { recursive: true });
  expect(codes).toEqual(programs.map(() => 0)); // each has shut down by itself
});

function urlOf(program: Program | undefined): string {
  if (program) return program.url;
  throw new Error('The program has not started');
}

function clientOf(program: Program | undefined): AxiosInstance {
  const client = axios.create({ baseURL: urlOf(program), validateStatus: () => true });
  const encryptionKeys = remoteJwks(`${urlOf(program)}/.well-known/jwks.json`);
  e2ee(client, { profile: banked, encryptionKeys });
  return client;
}

async function pay(client = clientOf(api)): Promise<AxiosResponse> {
  return client.post('/v2/payment_sessions', { payee: { name: CANARY } });
}

/** Uses up what the service answers in one second. */
async function exhaust(): Promise<void> {
  const asks = Array.from({ length: RATE_LIMIT }, () => {
    return fetch(`${urlOf(service)}/keys/bank-1/unwrap`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: '{}',
    });
  });
  for (const response of await Promise.all(asks)) await response.body?.cancel();
}

interface Answer {
  readonly status: number;
  readonly headers: object;
  readonly text: string;
}

/** What somebody gets who sends a token of his own making. */
async function send(token: string): Promise<Answer> {
  const response = await fetch(`${urlOf(api)}/v2/payment_sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ encrypted_payee: token }),
  });
  const { date, ...headers } = Object.fromEntries(response.headers);
  return { status: response.status, headers, text: await response.text() };
}

function expectUnavailable(response: AxiosResponse): void {
  expect(response.status).toBe(503);
  expect(response.headers['retry-after']).toMatch(/^\d+$/);
  expect(JSON.stringify(response.data) + api?.output).not.toContain(CANARY);
}

describe('an API whose key is in a key service', () => {
  it('publishes the public half, and decrypts what a client encrypts to it', async () => {
    const { data: jwks } = await axios.get(`${urlOf(api)}/.well-known/jwks.json`);
    const { kty, n, e } = privateKey.export({ format: 'jwk' });
    expect(jwks).toEqual({ keys: [{ kty, n, e, use: 'enc', alg: 'RSA-OAEP-256', kid: 'bank-1' }] });
    const { status, data } = await pay();
    expect(status).toBe(201);
    expect(data).toEqual({ id: 'ps_1', receipt: createHash('sha256').update(CANARY).digest('hex') });
  });

  it('has no byte of the private key in its memory, where the service has', async (context) => {
    if (!(await mayLookInto(api)))
      return context.skip('This system does not let us read the memory of our children');
    await Promise.all(Array.from({ length: 10 }, () => pay()));
    const { d, p } = privateKey.export({ format: 'jwk' });
    const needles = [d, p].flatMap((number) => {
      const bytes = Buffer.from(number as string, 'base64url').subarray(-48, -16); // big-endian, as files have it
      return [bytes, Buffer.from(bytes).reverse(), Buffer.from((number as string).slice(20, 60))];
    });
    const found = async (program: Program | undefined): Promise<number> => {
      return countInMemory(program?.process.pid as number, needles);
    };
    expect(await found(service)).toBeGreaterThan(0); // so that we know how to look
    expect(await found(api)).toBe(0);
  });

  it('answers a ciphertext that the service refuses as it answers every other bad token', async () => {
    const key = await remoteJwks(`${urlOf(api)}/.well-known/jwks.json`).current();
    const token = await encryptJwe(Buffer.from('{"name":"x"}'), key);
    expect(await send(token)).toMatchObject({ status: 201 });
    const [head, encryptedKey = '', iv, ciphertext, tag = ''] = token.split('.');
    const flip = (part: string): string => (part.startsWith('A') ? 'B' : 'A') + part.slice(1);
    const refused = await send([head, flip(encryptedKey), iv, ciphertext, tag].join('.'));
    expect(refused).toMatchObject({ status: 400, text: expect.stringContaining('token_invalid') });
    expect(await send([head, encryptedKey, iv, ciphertext, flip(tag)].join('.'))).toEqual(refused);
    expect(await send([head, encryptedKey.slice(4), iv, ciphertext, tag].join('.'))).toEqual(refused);
    expect(await send('not a token')).toEqual(refused);
  });

  it('answers 503 with Retry-After when the service throttles', async () => {
    const client = clientOf(api);
    let response = await pay(client);
    while (response.status === 201) {
      await exhaust(); // unless a second ends just now
      response = await pay(client);
    }
    expectUnavailable(response);
    while (response.status === 503) response = await pay(client);
    expect(response.status).toBe(201);
  });

  it('answers 503 within the deadline when the service hangs, and goes on when it wakes', async () => {
    const client = clientOf(api);
    service?.process.kill('SIGSTOP');
    const begin = performance.now();
    const response = await pay(client);
    const took = performance.now() - begin;
    service?.process.kill('SIGCONT');
    expectUnavailable(response);
    expect(took).toBeGreaterThan(UNWRAP_TIMEOUT - 50);
    expect(took).toBeLessThan(UNWRAP_TIMEOUT + 2_000);
    expect((await pay()).status).toBe(201);
  });

  it('answers 503 when the service is gone, and still publishes its key', async () => {
    expect(await service?.stop()).toBe(0);
    expectUnavailable(await pay());
  });
});

describe('the client of the key service', () => {
  const key = { kid: 'a/b', alg: 'RSA-OAEP-256', signal: new AbortController().signal } as const;

  async function answering(status: number, body: string): Promise<ReturnType<typeof keyServiceClient>> {
    const listener: RequestListener = (_, response) => void response.writeHead(status).end(body);
    const server = createServer(listener).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // a TCP server has no other kind of address
    return keyServiceClient({ url: `http://127.0.0.1:${port}`, token: TOKEN });
  }

  it('takes nothing but a clear word for a bad ciphertext', async () => {
    const client = await answering(400, '{"code":"InvalidCiphertext"}');
    expect(await client.unwrap(new Uint8Array(256), key)).toBeUndefined();
  });

  it.each([
    [400, '{"code":"BadRequest"}'],
    [401, '{"code":"Unauthorized"}'],
    [404, '{"code":"NotFound"}'],
    [429, '{"code":"Throttled"}'],
    [500, '{"code":"InvalidCiphertext"}'],
    [503, 'Service Unavailable'],
    [200, '{}'],
    [200, '<html>'],
    [200, 'null'],
  ])('rejects when it is answered %d %s', async (status, body) => {
    const client = await answering(status, body);
    await expect(client.unwrap(new Uint8Array(256), key)).rejects.toThrow();
  });
});

async function mayLookInto(program: Program | undefined): Promise<boolean> {
  const memory = await open(`/proc/${program?.process.pid}/mem`).catch(() => undefined);
  await memory?.close();
  return memory !== undefined;
}

/** How often any of the byte strings stands in the memory of a process that we may look into. */
async function countInMemory(pid: number, needles: readonly Buffer[]): Promise<number> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
  const memory = await open(`/proc/${pid}/mem`);
  const chunk = Buffer.alloc(8 * 1024 * 1024);
  let count = 0;
  try {
    for (const [, from = '', to = ''] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)) {
      const [begin, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
      for (let position = begin; position < end; position += chunk.length - 64) {
        const length = Math.min(chunk.length, end - position);
        const { bytesRead } = await memory.read(chunk, 0, length, position).catch(() => ({ bytesRead: 0 }));
        const part = chunk.subarray(0, bytesRead);
        count += needles.filter((needle) => part.includes(needle)).length;
      }
    }
  } finally {
    await memory.close();
  }
  return count;
}
