import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  banked,
  createKeyRing,
  decryptJwe,
  type E2eeEvent,
  type EncryptionKey,
  encryptJwe,
  importKey,
  type KeyRing,
  type PolicyDocument,
  type Profile,
  type Recipient,
  staticKeys,
} from '@e2ee/core';
import type {
  DynamicModule,
  INestApplication,
  MiddlewareConsumer,
  ModuleMetadata,
  Type,
} from '@nestjs/common';
import { onTestFinished } from 'vitest';
import { type Answer, type Call, call } from '../../../test/wire.js';
import type { E2eeNestOptions } from '../src/index.js';
import type { Subject } from './subjects.js';

/** Stands in every protected field. Must never be seen in the clear where it does not belong. */
export const CANARY = 'CANARY-2b7e151628aed2a6';
export const MASK = '[REDACTED]';
export const SESSIONS = '/v2/payment_sessions';
export const SESSION = '/v2/payment_sessions/1';

const policy: PolicyDocument = {
  'POST /v2/payment_sessions': { payee: { request: 'encrypt', response: 'redact-or-encrypt' } },
  'GET /v2/payment_sessions/:id': { payee: { response: 'redact-or-encrypt' } },
  'POST /v2/messages': { $: { request: 'encrypt', response: 'encrypt' } },
  'POST /v2/notes': { note: { request: 'encrypt' } },
};

export const profile: Profile = { ...banked, policy };
export const keyRing: KeyRing = await createKeyRing();
export const bankKey: EncryptionKey = await keyOf(keyRing);

const partnerRing = await createKeyRing();
const partnerKey = await keyOf(partnerRing);

export function partner(response: Recipient['response']): Recipient {
  return { id: 'partner', encryptionKeys: staticKeys(partnerKey), response };
}

/** A value as a token for the bank. */
export function sealed(value: unknown, key: EncryptionKey = bankKey): Promise<string> {
  return encryptJwe(new TextEncoder().encode(JSON.stringify(value)), key);
}

/** What a token for the partner holds. */
export async function opened(token: unknown): Promise<unknown> {
  const { plaintext } = await decryptJwe(String(token), partnerRing);
  return JSON.parse(new TextDecoder().decode(plaintext));
}

/** The options of every application here. Events go nowhere. */
export function bankOptions(options: Partial<E2eeNestOptions> = {}): E2eeNestOptions {
  return { profile, keyRing, onEvent: () => {}, ...options };
}

/** An application that listens until the test ends. */
export interface Running {
  readonly app: INestApplication;
  readonly events: E2eeEvent[];
  readonly send: (request: Call) => Promise<Answer>;
}

export interface Setup extends Omit<ModuleMetadata, 'imports'> {
  readonly imports?: ModuleMetadata['imports'];
  readonly options?: Partial<E2eeNestOptions>;
  /** In place of `E2eeModule.forRoot(options)`. */
  readonly e2ee?: DynamicModule;
  /** What `main.ts` does between making the application and listening. */
  readonly main?: (app: INestApplication) => unknown;
  /** Middleware of the module, for every route. */
  readonly middleware?: (req: IncomingMessage, res: ServerResponse, next: () => void) => void;
}

/** A module as users write it, around the adapter. */
export function moduleOf({ nest }: Subject, setup: Setup, events: E2eeEvent[] = []): Type {
  const { options, e2ee, main: _, middleware, imports = [], ...metadata } = setup;
  const own = bankOptions({ onEvent: (event) => events.push(event), ...options });

  @nest.common.Module({ imports: [e2ee ?? nest.e2ee.E2eeModule.forRoot(own), ...imports], ...metadata })
  class Application {
    configure(consumer: MiddlewareConsumer): void {
      if (middleware) consumer.apply(middleware).forRoutes('{*path}');
    }
  }
  return Application;
}

/** An application that is not started yet. */
export async function create(subject: Subject, module: Type): Promise<INestApplication> {
  const { nest, platform } = subject;
  const adapter = platform === 'Express' ? new nest.ExpressAdapter() : new nest.FastifyAdapter();
  const app = await nest.core.NestFactory.create<INestApplication>(module, adapter, {
    logger: false,
    abortOnError: false,
  });
  onTestFinished(async () => {
    app.getHttpServer().closeAllConnections();
    await app.close();
  });
  return app;
}

export async function start(subject: Subject, setup: Setup): Promise<Running> {
  const events: E2eeEvent[] = [];
  const app = await create(subject, moduleOf(subject, setup, events));
  await setup.main?.(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo; // a TCP server has no other kind of address
  return { app, events, send: (request) => call(port, request) };
}

/** A controller whose handlers answer with the body that they were given. */
export function echoes({ nest: { common } }: Subject): Type {
  const { Body, Controller, HttpCode, Param, Get, Post } = common;
  @Controller('v2')
  class Echoes {
    @Post('payment_sessions')
    @HttpCode(200)
    pay(@Body() body: unknown): unknown {
      return body;
    }

    @Get('payment_sessions/:id')
    show(@Param('id') id: string): unknown {
      return { id, payee: { name: CANARY } };
    }

    @Post('messages')
    @HttpCode(200)
    message(@Body() body: unknown): unknown {
      return body;
    }

    @Post('notes')
    @HttpCode(200)
    note(@Body() body: unknown): unknown {
      return body;
    }

    @Post('open')
    @HttpCode(200)
    open(@Body() body: unknown): unknown {
      return { got: body ?? null };
    }
  }
  return Echoes;
}

/** The key that a ring publishes. */
export async function keyOf(ring: KeyRing): Promise<EncryptionKey> {
  const key = await importKey(ring.jwks().keys[0] ?? {});
  if (key.kind !== 'encryption') throw new Error('A key ring publishes public keys only');
  return key;
}

/** The code of an error in the form of the profile. */
export function codeOf({ json }: Answer): unknown {
  return (json as { errors?: { code?: string }[] } | undefined)?.errors?.[0]?.code;
}
