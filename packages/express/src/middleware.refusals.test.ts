import { createKeyRing, type KeyRing } from '@e2ee/core';
import type { ErrorRequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import {
  bank,
  bankKey,
  bankOptions,
  CANARY,
  keyOf,
  keyRing,
  profile,
  ringWith,
  sealed,
} from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { everythingOf, watch } from '../test/watch.js';
import { type Answer, call, listen } from '../test/wire.js';

const SESSIONS = '/v2/payment_sessions';

const good = await sealed({ name: CANARY });
const [header = '', encryptedKey = '', iv = '', ciphertext = '', tag = ''] = good.split('.');
const stranger = await keyOf(await createKeyRing());

/** A token with another protected header. */
function under(change: object): string {
  const own = JSON.parse(Buffer.from(header, 'base64url').toString());
  return [encoded(JSON.stringify({ ...own, ...change })), encryptedKey, iv, ciphertext, tag].join('.');
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function flipped(part: string): string {
  return (part.startsWith('A') ? 'B' : 'A') + part.slice(1);
}

const BAD_TOKENS: Readonly<Record<string, unknown>> = {
  'a number': 7,
  null: null,
  'an object': { ciphertext: 'x' },
  'a list of tokens': [good],
  'an empty text': '',
  'a plain text': CANARY,
  'four parts': good.slice(0, good.lastIndexOf('.')),
  'six parts': `${good}.AAAA`,
  'an empty part': [header, encryptedKey, '', ciphertext, tag].join('.'),
  'a token in its JSON form': JSON.stringify({
    protected: header,
    encrypted_key: encryptedKey,
    iv,
    ciphertext,
    tag,
  }),
  'a signed token': `${encoded('{"alg":"RS256"}')}.${encoded('{}')}.AAAA`,
  'white space behind': `${good}\n`,
  padding: `${good}==`,
  'the other alphabet': good.replace(/[-_]/, '+'),
  'a header that is not JSON': ['AAAA', encryptedKey, iv, ciphertext, tag].join('.'),
  'a header with no algorithm': under({ alg: undefined }),
  'the algorithm none': under({ alg: 'none' }),
  RSA1_5: under({ alg: 'RSA1_5' }),
  'a direct key': under({ alg: 'dir' }),
  'another content encryption': under({ enc: 'A128CBC-HS256' }),
  compression: under({ zip: 'DEF' }),
  'a critical extension': under({ crit: ['exp'], exp: 1 }),
  'a key to fetch': under({ jku: 'http://127.0.0.1:9/keys' }),
  'a flipped encrypted key': [header, flipped(encryptedKey), iv, ciphertext, tag].join('.'),
  'a flipped IV': [header, encryptedKey, flipped(iv), ciphertext, tag].join('.'),
  'a flipped ciphertext': [header, encryptedKey, iv, flipped(ciphertext), tag].join('.'),
  'a flipped tag': [header, encryptedKey, iv, ciphertext, flipped(tag)].join('.'),
  'a short tag': [header, encryptedKey, iv, ciphertext, tag.slice(0, 16)].join('.'),
  'the name of our key on a token for another': await sealed(1, 'json', { ...stranger, kid: bankKey.kid }),
  'plaintext that is not JSON': await sealed(CANARY, 'text'),
  'a token longer than a field may be': `${header}.${encryptedKey}.${iv}.${'A'.repeat(20_000)}.${tag}`,
  'dots only': '.'.repeat(50_000),
};

const KEY_REJECTIONS: Readonly<Record<string, string>> = {
  'an unknown name': under({ kid: 'unknown' }),
  'a name that every object knows': under({ kid: '__proto__' }),
  'a path': under({ kid: '../../etc/passwd' }),
  'a line break': under({ kid: 'a\r\nset-cookie: b=1' }),
};

interface Bench {
  readonly send: (body: object, path?: string) => Promise<Answer>;
  readonly handled: unknown[];
  readonly events: unknown[];
}

async function bench(version: Version, ring: KeyRing = keyRing): Promise<Bench> {
  const { app, events } = bank(version, { keyRing: ring });
  const handled: unknown[] = [];
  app.use((req, res) => {
    handled.push(req.body);
    res.json(req.body);
  });
  const port = await listen(app);
  return { handled, events, send: (body, path = SESSIONS) => call(port, { path, body }) };
}

/** Everything of an answer that a client could tell it from another one by. */
function look({ status, reason, headerNames, headers, text }: Answer): unknown {
  const { date, ...others } = headers;
  return { status, reason, headerNames, others, text, dated: date !== undefined };
}

describe.each(versions)('a refusal on $name', (version) => {
  it('is one and the same for every bad token', async () => {
    const { send, handled, events } = await bench(version);
    const first = await send({ encrypted_payee: 'a.b.c.d.e' });
    expect(first).toMatchObject({
      status: 400,
      json: { errors: [{ code: 'token_invalid', source: 'body' }] },
    });
    for (const [kind, token] of Object.entries(BAD_TOKENS)) {
      expect(look(await send({ encrypted_payee: token })), kind).toEqual(look(first));
    }
    expect(handled).toEqual([]);
    expect(events).toHaveLength(Object.keys(BAD_TOKENS).length + 1);
    expect(everythingOf(events)).not.toContain(CANARY);
  });

  it("is the profile's key rejection for a key that is not held here", async () => {
    const { send, handled } = await bench(version);
    const answers = [];
    for (const token of Object.values(KEY_REJECTIONS)) answers.push(await send({ encrypted_payee: token }));
    for (const answer of answers) {
      expect(look(answer)).toEqual(look(answers[0] as Answer));
      expect(answer).toMatchObject({
        status: 422,
        json: { errors: [{ code: 'invalid', source: 'encryption key', title: 'invalid encryption key' }] },
      });
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect(handled).toEqual([]);
  });

  it('is a key rejection as well once a key is revoked', async () => {
    let revoked = false;
    const ring = ringWith(keyRing, { find: (kid) => (revoked ? undefined : keyRing.find(kid)) });
    const { send, handled } = await bench(version, ring);
    const body = { encrypted_payee: good };
    expect(await send(body)).toMatchObject({ status: 200 });
    revoked = true;
    expect(await send(body)).toMatchObject({ status: 422 });
    expect(handled).toHaveLength(1);
  });

  it('names the field that came in plain, and never its value', async () => {
    const { send, handled, events } = await bench(version);
    for (const payee of [CANARY, { name: CANARY }, [CANARY], 0, null, false]) {
      const answer = await send({ payee });
      expect(answer.status).toBe(400);
      expect(answer.json).toEqual({
        errors: [{ code: 'plaintext_refused', source: 'payee', title: expect.stringContaining('payee') }],
      });
      expect(answer.text).not.toContain(CANARY);
    }
    expect(handled).toEqual([]);
    expect(everythingOf(events)).not.toContain(CANARY);
  });

  it('meets a field that is there in both forms, whatever the token holds', async () => {
    const { send, handled } = await bench(version);
    for (const token of [good, 'a.b.c.d.e', under({ kid: 'unknown' })]) {
      const answer = await send({ payee: { name: CANARY }, encrypted_payee: token });
      expect(answer).toMatchObject({
        status: 400,
        json: { errors: [{ code: 'field_conflict', source: 'payee' }] },
      });
      expect(answer.text).not.toContain(CANARY);
    }
    expect(handled).toEqual([]);
  });

  it('shows nothing of the good field beside a bad one', async () => {
    const { send, handled, events } = await bench(version);
    const mandate = await sealed(CANARY, 'text');
    for (const [body, status] of [
      [{ encrypted_mandate_id: mandate, encrypted_payee: 'a.b.c.d.e' }, 400],
      [{ encrypted_payee: good, encrypted_mandate_id: `${mandate.slice(0, -4)}AAAA` }, 400],
      [{ encrypted_payee: good, encrypted_mandate_id: under({ kid: 'unknown' }) }, 422],
      [{ encrypted_payee: good, mandate_id: 'plain' }, 400],
    ] as const) {
      const answer = await send(body);
      expect(answer.status).toBe(status);
      expect(answer.text).not.toContain(CANARY);
    }
    expect(handled).toEqual([]);
    expect(everythingOf(events)).not.toContain(CANARY);
  });

  it('comes without an encoding, a type or a length that something before had set', async () => {
    const { express, e2ee } = version;
    const app = express();
    app.use((_, res, next) => {
      res.set({
        'content-type': 'text/csv',
        'content-encoding': 'br',
        'content-length': '3',
        etag: '"x"',
        'x-own': 'kept',
      });
      res.cookie('a', '1');
      next();
    });
    app.use(express.json(), e2ee(bankOptions()));
    const answer = await call(await listen(app), { path: SESSIONS, body: { payee: 'plain' } });
    expect(answer).toMatchObject({ status: 400, json: { errors: [{}] } });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-own': 'kept',
    });
    expect(answer.headers['set-cookie']).toEqual(['a=1; Path=/']);
    expect(answer.headers).not.toHaveProperty('etag');
    expect(answer.headers).not.toHaveProperty('content-encoding');
  });

  it('prints nothing of what was sent, whoever listens', async () => {
    const { printed, uncaught } = watch();
    const { express, e2ee } = version;
    const app = express();
    app.use(express.json(), e2ee({ profile, keyRing }));
    app.use(() => expect.unreachable());
    const port = await listen(app);
    for (const token of [...Object.values(BAD_TOKENS), ...Object.values(KEY_REJECTIONS)]) {
      const { text } = await call(port, { path: SESSIONS, body: { encrypted_payee: token } });
      expect(text).not.toContain(CANARY);
    }
    await call(port, { path: SESSIONS, body: { payee: CANARY } });
    expect(printed()).not.toMatch(new RegExp(`${CANARY}|eyJ|set-cookie`));
    expect(uncaught).toEqual([]);
  });

  it('reaches error handlers only where it is not ours to answer', async () => {
    const { app } = bank(version, {
      keyRing: ringWith(keyRing, {
        find: () => {
          throw new Error('the key store is broken');
        },
      }),
    });
    const errors: unknown[] = [];
    const handleError: ErrorRequestHandler = (error, _req, res, _next) => {
      errors.push(error);
      res.status(500).send('ours');
    };
    app.use(handleError);
    const port = await listen(app);
    expect(await call(port, { path: SESSIONS, body: { encrypted_payee: good } })).toMatchObject({
      status: 500,
      text: 'ours',
    });
    expect(await call(port, { path: SESSIONS, body: { payee: 1 } })).toMatchObject({ status: 400 });
    expect(errors).toEqual([new Error('the key store is broken')]);
  });
});
