/*
 * A key service in small: a process of its own that holds an RSA private key, and answers what others ask of it. A KMS
 * or an HSM is the same with more locks on the door. No answer holds anything of the private key, which the process
 * itself cannot export again. Run it under a user of its own, so that nobody else can read its key file or its memory.
 *
 *   GET  /keys/{kid}          → 200 the public half as a JWK
 *   POST /keys/{kid}/unwrap   { "alg": "RSA-OAEP-256", "value": base64url } → 200 { "value": base64url }
 *
 * Refusals are { "code": … }: 400 InvalidCiphertext, 400 BadRequest, 401, 404, 429 Throttled with Retry-After.
 *
 * Environment: KEY_FILE (PKCS#8 in PEM; without, a key that ends with the process), KEY_ID, KEY_SERVICE_TOKEN,
 * RATE_LIMIT (per second), PORT.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  timingSafeEqual,
  webcrypto,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';

const { KEY_FILE, KEY_ID = 'bank-1', KEY_SERVICE_TOKEN = '', RATE_LIMIT = '100', PORT = '0' } = process.env;
const MAX_BODY_BYTES = 4_096;

if (KEY_SERVICE_TOKEN === '')
  throw new Error('KEY_SERVICE_TOKEN must be set: who may unwrap reads everything');

const { publicJwk, privateKey } = await loadKey();

const server = createServer((request, response) => {
  answer(request)
    .catch((): Answer => ({ status: 500, body: { code: 'Internal' } }))
    .then(({ status, headers, body }) => {
      response.writeHead(status, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        ...headers,
      });
      response.end(JSON.stringify(body));
    });
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(server.address()));
process.once('SIGTERM', () => server.close());

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const route = `${request.method} ${request.url}`;
  if (!isAuthorized(request)) return { status: 401, body: { code: 'Unauthorized' } };
  if (route === `GET /keys/${encodeURIComponent(KEY_ID)}`) return { status: 200, body: publicJwk };
  if (route === `POST /keys/${encodeURIComponent(KEY_ID)}/unwrap`) return unwrap(await readBody(request));
  return { status: 404, body: { code: 'NotFound' } };
}

async function unwrap(text: string | undefined): Promise<Answer> {
  if (isThrottled()) return { status: 429, headers: { 'retry-after': '1' }, body: { code: 'Throttled' } };
  const { alg, value } = parse(text);
  if (alg !== 'RSA-OAEP-256' || typeof value !== 'string')
    return { status: 400, body: { code: 'BadRequest' } };
  try {
    const encryptedKey = Buffer.from(value, 'base64url');
    const cek = await webcrypto.subtle.decrypt({ name: 'RSA-OAEP' }, privateKey, encryptedKey);
    return { status: 200, body: { value: Buffer.from(cek).toString('base64url') } };
  } catch {
    return { status: 400, body: { code: 'InvalidCiphertext' } };
  }
}

async function loadKey(): Promise<{ publicJwk: object; privateKey: webcrypto.CryptoKey }> {
  const key = KEY_FILE
    ? createPrivateKey(readFileSync(KEY_FILE))
    : generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  const params = { name: 'RSA-OAEP', hash: 'SHA-256' };
  const { kty, n, e } = createPublicKey(key).export({ format: 'jwk' });
  return {
    publicJwk: { kty, n, e, kid: KEY_ID, alg: 'RSA-OAEP-256', use: 'enc' },
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, params, false, ['decrypt']),
  };
}

function isAuthorized({ headers }: IncomingMessage): boolean {
  const [given, due] = [Buffer.from(headers.authorization ?? ''), Buffer.from(`Bearer ${KEY_SERVICE_TOKEN}`)];
  return given.length === due.length && timingSafeEqual(given, due);
}

let [second, asked] = [0, 0];

function isThrottled(): boolean {
  const now = Math.floor(performance.now() / 1000);
  if (now !== second) [second, asked] = [now, 0];
  asked += 1;
  return asked > Number(RATE_LIMIT);
}

/** The body as text; nothing when it is longer than any question. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks).toString() : undefined;
}

function parse(text = ''): { alg?: unknown; value?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
