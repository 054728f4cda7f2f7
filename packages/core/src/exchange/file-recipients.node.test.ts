import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  CERTIFICATE,
  CERTIFIED_MODULUS,
  decryptionKeyOf,
  encryptionKeyOf,
  errorOf,
  everythingOf,
  secretsOf,
} from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { answer, post } from '../../test/two-ends.js';
import { staticKeys } from '../keys/encryption-keys.js';
import { createKeyRing } from '../keys/key-ring.js';
import { banked } from '../profiles/banked.js';
import { createE2eeClient } from './client.js';
import { fileRecipients } from './file-recipients.node.js';
import { createE2eeServer } from './server.js';

const [first, second] = RSA;
const { spki } = first;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'e2ee-partners-'));
  await mkdir(join(directory, 'keys'));
  const files: Record<string, string> = {
    'spki.pem': spki,
    'pkcs1.pem': first.publicPkcs1,
    'acme.crt': CERTIFICATE,
    'acme.jwk': JSON.stringify(first.publicJwk),
    'keys/next.pem': second.spki,
    'private.pem': first.pkcs8,
    'empty.pem': '',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
});

afterAll(() => rm(directory, { recursive: true }));

afterEach(() => {
  vi.useRealTimers();
});

let written = 0;

/** Writes a list of partners beside the keys. */
async function list(content: unknown): Promise<string> {
  written += 1;
  const path = join(directory, `partners-${written}.json`);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return path;
}

async function inUse(path: string, id = 'acme'): Promise<unknown> {
  const partners = await fileRecipients(path);
  return (await partners.get(id)?.encryptionKeys?.current())?.publicJwk.n;
}

describe('a list of partners in a file', () => {
  it.each<[string, unknown, unknown]>([
    ['the name of an SPKI file beside it', 'spki.pem', first.publicJwk.n],
    ['the name of a PKCS#1 file', 'pkcs1.pem', first.publicJwk.n],
    ['the name of a certificate', 'acme.crt', CERTIFIED_MODULUS],
    ['the name of a JWK file', 'acme.jwk', first.publicJwk.n],
    ['the name of a file below it', 'keys/next.pem', second.publicJwk.n],
    ['PEM text', spki, first.publicJwk.n],
    ['PEM text of a certificate', CERTIFICATE, CERTIFIED_MODULUS],
    ['a JWK', first.publicJwk, first.publicJwk.n],
  ])('names a key as %s', async (_, key, n) => {
    expect(await inUse(await list({ acme: { response: 'encrypt', keys: key } }))).toBe(n);
    expect(await inUse(await list({ acme: { response: 'encrypt', keys: [key] } }))).toBe(n);
    expect(await inUse(await list({ acme: { response: 'encrypt', keys: [{ key }] } }))).toBe(n);
  });

  it('may hold two keys with the time of their change', async () => {
    const keys = ['spki.pem', { key: 'keys/next.pem', from: '2027-01-01T00:00:00Z' }];
    const path = await list({ acme: { response: 'encrypt', keys } });
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-12-31T23:59:59Z') });
    expect(await inUse(path)).toBe(first.publicJwk.n);
    vi.setSystemTime(new Date('2027-01-01T00:00:00Z'));
    expect(await inUse(path)).toBe(second.publicJwk.n);
  });

  it('may say where a partner publishes its keys, and who wants no encryption', async () => {
    const fetch: typeof globalThis.fetch = async () => Response.json({ keys: [second.publicJwk] });
    const entries = {
      globex: { response: 'message', jwks: 'https://globex.example/.well-known/jwks.json' },
      initech: { response: 'redact' },
    };
    const partners = await fileRecipients(await list(entries), { fetch });
    expect((await partners.get('globex')?.encryptionKeys?.current())?.publicJwk.n).toBe(second.publicJwk.n);
    expect(partners.get('initech')).toEqual({ id: 'initech', response: 'redact' });
    await partners.set('initech', { response: 'encrypt', keys: spki });
    expect(partners.get('initech')).toMatchObject({ response: 'encrypt' });
  });

  it('may say what a partner is asked with, and is closed like any registry', async () => {
    const seen: unknown[] = [];
    const fetch: typeof globalThis.fetch = async (_url, init) => {
      seen.push(new Headers(init?.headers).get('authorization'));
      return Response.json(second.publicJwk);
    };
    const jwks = { url: 'https://globex.example/jwks.json', headers: { authorization: 's3cr3t' } };
    const path = await list({ globex: { response: 'encrypt', jwks } });
    const partners = await fileRecipients(path, { fetch });
    const keys = partners.get('globex')?.encryptionKeys;
    expect((await keys?.current())?.publicJwk.n).toBe(second.publicJwk.n);
    expect(seen).toEqual(['s3cr3t']);
    partners.close();
    expect(await errorOf(async () => keys?.current())).toMatchObject({ code: 'keys_unavailable' });
    for (const options of [{ maxSources: 0 }, { headers: jwks.headers }]) {
      const error = await errorOf(fileRecipients(path, options));
      expect(error).toMatchObject({ code: 'option_invalid' });
      expect(everythingOf(error)).not.toContain('s3cr3t');
    }
  });

  it('may begin with the byte order mark of an editor, and be empty otherwise', async () => {
    expect(await inUse(await list(`\uFEFF{"acme":{"response":"encrypt","keys":"spki.pem"}}`))).toBe(
      first.publicJwk.n,
    );
    expect((await fileRecipients(await list({}))).get('acme')).toBeUndefined();
  });

  it('may hold an id like `__proto__`, which is an id like any other', async () => {
    const path = await list('{"__proto__":{"response":"redact"},"constructor":{"response":"redact"}}');
    const partners = await fileRecipients(path);
    expect(partners.get('__proto__')).toEqual({ id: '__proto__', response: 'redact' });
    expect(partners.get('constructor')).toEqual({ id: 'constructor', response: 'redact' });
    expect(partners.get('toString')).toBeUndefined();
  });

  it('serves a server end: a response reaches the partner it names', async () => {
    const entries = { acme: { response: 'encrypt', keys: 'spki.pem' } };
    const partners = await fileRecipients(await list(entries));
    const keyRing = await createKeyRing({ keys: await decryptionKeyOf(second) });
    const server = createE2eeServer({ profile: banked, keyRing, recipient: () => partners.get('acme') });
    const body = { payee: { name: 'canary-4711' } };
    const sent = await server.protectResponse(post('/v2/payment_sessions'), answer(body));
    expect(JSON.stringify(sent)).not.toContain('canary-4711');
    const client = createE2eeClient({
      profile: banked,
      encryptionKeys: staticKeys(await encryptionKeyOf(second)),
      keyRing: await createKeyRing({ keys: await decryptionKeyOf(first) }),
    });
    expect((await client.decryptResponse(post('/v2/payment_sessions'), sent)).body).toEqual(body);
  });
});

describe('a list that is wrong', () => {
  it.each<[string, unknown, string]>([
    ['no JSON', '{"acme":', 'option_invalid'],
    ['null', 'null', 'option_invalid'],
    ['an array', [{ response: 'redact' }], 'option_invalid'],
    ['a text', '"acme"', 'option_invalid'],
  ])('is refused, naming the file: %s', async (_, content, code) => {
    const path = await list(content);
    const error = await errorOf(fileRecipients(path));
    expect(error).toMatchObject({ code, message: expect.stringContaining(path) });
  });

  it('is refused without showing a piece of it', async () => {
    const path = await list('{"a":{"jwks":{"headers":{"authorization":s3cr3t}}}}');
    expect(everythingOf(await errorOf(fileRecipients(path)))).not.toContain('s3cr3t');
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'option_invalid'],
    ['a text', 'spki.pem', 'option_invalid'],
    ['no choice', { keys: 'spki.pem' }, 'option_invalid'],
    ['no key', { response: 'encrypt' }, 'option_invalid'],
    ['a bad URL', { response: 'encrypt', jwks: 'globex' }, 'option_invalid'],
    ['null for keys', { response: 'encrypt', keys: null }, 'key_invalid'],
    ['null among keys', { response: 'encrypt', keys: [null] }, 'key_invalid'],
    ['a number for a key', { response: 'encrypt', keys: 5 }, 'key_invalid'],
    ['a file that holds no key', { response: 'encrypt', keys: 'empty.pem' }, 'key_invalid'],
    ['a file that holds a private key', { response: 'encrypt', keys: 'private.pem' }, 'key_invalid'],
    ['a bad time', { response: 'encrypt', keys: [{ key: 'spki.pem', until: 'soon' }] }, 'key_invalid'],
  ])('is refused, naming the partner: %s', async (_, entry, code) => {
    const error = await errorOf(fileRecipients(await list({ initech: { response: 'redact' }, acme: entry })));
    expect(error).toMatchObject({ code, message: expect.stringContaining('acme') });
    for (const secret of secretsOf(first)) expect(everythingOf(error)).not.toContain(secret);
  });

  it('is refused with the error of the file system, when a file is missing', async () => {
    const missing = { code: 'ENOENT', message: expect.stringContaining('missing') };
    expect(await errorOf(fileRecipients(join(directory, 'missing.json')))).toMatchObject(missing);
    const path = await list({ acme: { response: 'encrypt', keys: 'missing.pem' } });
    expect(await errorOf(fileRecipients(path))).toMatchObject(missing);
  });
});
