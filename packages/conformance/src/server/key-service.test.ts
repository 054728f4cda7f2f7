import { generateKeyPairSync, type KeyObject, privateDecrypt } from 'node:crypto';
import {
  banked,
  createKeyRing,
  type EncryptionKey,
  importKey,
  type KeyRing,
  type KeyUnwrapper,
  serviceKey,
} from '@e2ee/core';
import type express5 from 'express';
import express from 'express';
import express4 from 'express4';
import type Koa3 from 'koa';
import Koa from 'koa';
import Koa2 from 'koa2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANARY } from './answers.js';
import { echo, PAYMENTS, STANDARD } from './cases/standard.js';
import { Connection, requestHead, type WireAnswer } from './connection.js';
import { seal } from './keys.js';
import type { Running, ServerSubject } from './subject.js';
import { expressSubject } from './subjects/express.js';
import { koaSubject } from './subjects/koa.js';
import type { nestSubject as NestSubject } from './subjects/nest.js';
import { nestSubject } from './subjects/nest.js';
import { nestSubject as nest11 } from './subjects/nest.js?nest-11';

const nest11Subject = nest11 as typeof NestSubject;

// The older versions are used only in ways that the types of the newer ones describe as well.
const SUBJECTS: readonly ServerSubject[] = [
  expressSubject('Express 4', express4 as unknown as typeof express5),
  expressSubject('Express 5', express),
  koaSubject('Koa 2', Koa2 as unknown as typeof Koa3),
  koaSubject('Koa 3', Koa),
  nest11Subject('Nest 11', 'Express'),
  nest11Subject('Nest 11', 'Fastify'),
  nestSubject('Nest 12', 'Express'),
  nestSubject('Nest 12', 'Fastify'),
];

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
let bank: EncryptionKey;
let token: string;
beforeAll(async () => {
  const key = await importKey(publicKey.export({ format: 'pem', type: 'spki' }).toString());
  if (key.kind !== 'encryption') throw new Error('The key is a public one');
  bank = key;
  token = await seal(JSON.stringify(CANARY), bank);
});

/** What a key service does when it is asked. */
let behave: KeyUnwrapper['unwrap'];

async function ringOf(key: KeyObject): Promise<KeyRing> {
  const pem = key.export({ format: 'pem', type: 'spki' }).toString();
  const unwrapper: KeyUnwrapper = { unwrap: (...args) => behave(...args) };
  return createKeyRing({ keys: await serviceKey({ publicKey: pem, unwrapper }) });
}

const honest: KeyUnwrapper['unwrap'] = async (encryptedKey) =>
  privateDecrypt({ key: privateKey, oaepHash: 'sha256' }, encryptedKey);

describe.each(SUBJECTS)('a key service behind $name', (subject) => {
  let running: Running;
  let ring: KeyRing;
  let calls: unknown[];
  const reported: unknown[] = [];

  beforeAll(async () => {
    ring = await ringOf(publicKey);
    running = await subject.start({
      parser: 'before',
      options: {
        profile: { ...banked, policy: STANDARD.policy },
        keyRing: ring,
        onEvent: (event) => reported.push(event),
      },
      bodyLimit: 100_000,
      routes: [echo(PAYMENTS)],
      saw: (_, body) => calls.push(structuredClone(body)),
      log: () => {},
    });
  });
  afterAll(async () => {
    await running?.close();
    ring?.close();
  });

  async function send(encrypted: string): Promise<WireAnswer> {
    calls = [];
    const body = Buffer.from(JSON.stringify({ encrypted_payee: encrypted }));
    const head = requestHead('POST', PAYMENTS, {
      host: 'bank.example',
      connection: 'close',
      'content-type': 'application/json',
      'content-length': String(body.length),
    });
    const connection = await Connection.open(running.port);
    try {
      return await connection.exchange(head, body);
    } finally {
      connection.close();
    }
  }

  it.each<[what: string, unwrap: KeyUnwrapper['unwrap']]>([
    ['throttles', () => Promise.reject(new Error(`Throttling of ${CANARY}`))],
    ['cannot be reached', () => Promise.reject(new TypeError(`connect ECONNREFUSED ${CANARY}`))],
  ])('that %s is a 503 with Retry-After, and no handler is called', async (_, unwrap) => {
    behave = unwrap;
    const answer = await send(token);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    expect(answer.everything).not.toContain(CANARY);
    expect(calls).toEqual([]);
  });

  it('that says the ciphertext is bad is the one answer to every bad token', async () => {
    behave = async () => undefined;
    const { status, text } = await send(token);
    const malformed = await send('a.b.c.d.e');
    expect([status, text]).toEqual([malformed.status, malformed.text]);
    expect(status).toBe(400);
    expect(calls).toEqual([]);
  });

  it('that works again serves the next request', async () => {
    behave = honest;
    expect((await send(token)).status).toBe(200);
    expect(calls).toEqual([{ payee: CANARY }]);
    expect(JSON.stringify(reported)).not.toContain(CANARY);
  });
});
