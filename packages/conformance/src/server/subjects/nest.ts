import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { definePolicy, type PolicyRows } from '@e2ee/core';
import { E2eeModule, type E2eeNestOptions, Protect } from '@e2ee/nest';
import fastifyCompress from '@fastify/compress';
import {
  type ArgumentsHost,
  Body,
  Catch,
  Controller,
  type DynamicModule,
  type ExceptionFilter,
  HttpCode,
  HttpException,
  Inject,
  type MiddlewareConsumer,
  Module,
  NotFoundException,
  Req,
  RequestMapping,
  RequestMethod,
  Res,
  StreamableFile,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost, NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import compression from 'compression';
import { type Answer, bodyOf, errorOf, fileOf, streamOf } from '../answers.js';
import { type Route, type Running, running, type ServerSetup, type ServerSubject } from '../subject.js';

const MESSAGES =
  'Nest makes JSON of the message of an HttpException; no policy has a row for it, and it repeats nothing of the request';
const SHOW_MESSAGES = [
  'a thrown error shows nothing, gzip inside the adapter',
  'a thrown error shows nothing, gzip outside the adapter',
  'a thrown error shows nothing, br inside the adapter',
  'a thrown error shows nothing, br outside the adapter',
  'a logger outside hears nothing of a thrown error',
];

type Platform = 'Express' | 'Fastify';

/** Where the rules of a case are: in the policy of the module, or at the handlers, by `@Protect`. */
type Rules = 'policy' | 'handlers';

/** The Nest that is imported here, on one of its platforms. */
export function nestSubject(version: string, platform: Platform, rules: Rules = 'policy'): ServerSubject {
  const start = platform === 'Express' ? startExpress : startFastify;
  return {
    name: `${version} ${platform}${rules === 'handlers' ? ' @Protect' : ''}`,
    unsupported: {
      'parser: after': 'the adapter finds its place in the application by itself',
      ...(platform === 'Fastify' && {
        'methodOverride: routed': 'Fastify has chosen the handler before any middleware sees the request',
        'compression: inside': 'what @fastify/compress is given is protected, wherever it is registered',
      }),
    },
    faults: {
      ...Object.fromEntries(SHOW_MESSAGES.map((name) => [name, MESSAGES])),
      ...(rules === 'handlers' && {
        'a path that can be read as two operations is refused':
          'a handler has its rules whatever the path, and the one that is reached here has none',
      }),
    },
    start: (setup) => start({ ...setup, rules }),
  };
}

interface Setup extends ServerSetup {
  readonly rules: Rules;
}

async function startExpress(setup: Setup): Promise<Running> {
  const app = await NestFactory.create<NestExpressApplication>(moduleOf(setup), new ExpressAdapter(), {
    logger: false,
    abortOnError: false,
    bodyParser: false,
  });
  if (setup.compression === 'outside') app.use(compression({ threshold: 0 }));
  if (setup.parser === 'before') {
    app.useBodyParser('json', { limit: setup.bodyLimit });
    app.useBodyParser('urlencoded', { limit: setup.bodyLimit, extended: true });
  }
  return listen(app, setup);
}

async function startFastify(setup: Setup): Promise<Running> {
  // As lax as Fastify can be about the spelling of a path.
  const routerOptions = { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true };
  const adapter = new FastifyAdapter({ bodyLimit: setup.bodyLimit, routerOptions });
  const app = await NestFactory.create<NestFastifyApplication>(moduleOf(setup), adapter, {
    logger: false,
    abortOnError: false,
    bodyParser: setup.parser === 'before',
  });
  if (setup.parser === 'none') {
    const instance = adapter.getInstance();
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('*', (_request, _payload, done) => done(null)); // Fastify would refuse the rest
  }
  if (setup.compression === 'outside') await app.register(fastifyCompress, { threshold: 0 });
  return listen(app, setup);
}

async function listen(
  app: NestExpressApplication | NestFastifyApplication,
  setup: ServerSetup,
): Promise<Running> {
  if (setup.methodOverride) app.use(overrideMethod);
  if (setup.prefix?.of === 'all') app.setGlobalPrefix(setup.prefix.path);
  const server = app.getHttpServer();
  if (setup.logger)
    server.prependListener('request', (_: unknown, res: ServerResponse) => logBody(res, setup.log));
  await app.listen(0, '127.0.0.1');
  const { port } = await running(server);
  return {
    port,
    close: async () => {
      server.closeAllConnections();
      await app.close();
    },
  };
}

/** On Fastify this comes too late to lead to another handler. */
function overrideMethod(req: IncomingMessage, _res: ServerResponse, next: () => void): void {
  Object.assign(req, { method: req.headers['x-http-method-override'] ?? req.method });
  next();
}

function moduleOf(setup: Setup): Type {
  @Module({
    imports: [adapterOf(setup)],
    controllers: [controllerOf(setup)],
    providers: setup.errorHandler ? [{ provide: APP_FILTER, useClass: AnswerErrors }] : [],
  })
  class Application {
    configure(consumer: MiddlewareConsumer): void {
      if (setup.compression === 'inside') consumer.apply(compression({ threshold: 0 })).forRoutes('{*path}');
    }
  }
  return Application;
}

function adapterOf({ options, server, recipient, rules }: Setup): DynamicModule {
  if (server) return E2eeModule.forRoot(server);
  const find: E2eeNestOptions['recipient'] =
    recipient && (({ headers }) => recipient(headers['x-recipient'] as string | undefined)); // sent once
  const policy = rules === 'handlers' ? { policy: {} } : {};
  return E2eeModule.forRoot({ ...options, ...policy, ...(find && { recipient: find }) });
}

/** What is used of both platforms' responses. */
interface Reply {
  readonly raw?: ServerResponse;
  status(status: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): Reply;
  hijack?(): Reply;
  redirect(...args: unknown[]): Reply;
}

interface Incoming {
  readonly headers: Readonly<Record<string, string>>;
}

/** These go past Nest: the handler has the response to itself. */
const OWN_WAYS = ['bytes', 'end', 'write', 'redirect'];

function controllerOf(setup: Setup): Type {
  const { routes, prefix, saw, rules } = setup;
  @Controller(prefix?.of === 'routes' ? prefix.path : '/')
  class Cases {}
  for (const [i, route] of routes.entries()) {
    const name = `route${i}`;
    const value = (req: Incoming, body: unknown, reply: Reply): unknown => {
      saw(req.headers['x-call'], body);
      return answer(route.answer, body, reply);
    };
    const descriptor = { value, configurable: true, enumerable: false, writable: true };
    Object.defineProperty(Cases.prototype, name, descriptor);
    for (const decorate of [
      RequestMapping({ path: route.path, method: RequestMethod[route.method] }),
      HttpCode(200),
    ])
      decorate(Cases.prototype, name, descriptor);
    const rows = rules === 'handlers' && rowsOf(route, setup);
    if (rows) Protect(rows)(Cases.prototype, name, descriptor);
    Req()(Cases.prototype, name, 0);
    Body()(Cases.prototype, name, 1);
    Res({ passthrough: !OWN_WAYS.includes(route.answer.way) })(Cases.prototype, name, 2);
  }
  return Cases;
}

/** What the policy of a case says of a route. */
function rowsOf({ method, path }: Route, { options, prefix }: Setup): PolicyRows | undefined {
  const policy = definePolicy(options.policy ?? options.profile.policy);
  const operation = policy.match(method, (prefix?.path ?? '') + path) ?? policy.match(method, path);
  return operation && policy.document[operation.name];
}

async function answer(given: Route['answer'], body: unknown, reply: Reply): Promise<unknown> {
  if (given.way === 'not found') throw new NotFoundException();
  if (given.way === 'throw') {
    if (given.later) await setTimeout(2);
    const { status, message, details } = given;
    if (status === undefined) throw errorOf(given);
    throw Object.assign(new HttpException(details ?? message, status), { details });
  }
  if (given.status !== undefined && given.way !== 'redirect') reply.status(given.status);
  if (given.way === 'echo') return body ?? {};
  for (const [name, value] of Object.entries(given.headers ?? {})) {
    if (given.way === 'end' || given.way === 'write') rawOf(reply).setHeader(name, value);
    else reply.header(name, value);
  }
  return send(given, reply);
}

async function send(
  given: Exclude<Answer, { way: 'not found' | 'throw' | 'echo' }>,
  reply: Reply,
): Promise<unknown> {
  switch (given.way) {
    case 'json':
      if (given.later !== undefined) await setTimeout(given.later);
      return bodyOf(given);
    case 'odd':
      return bodyOf(given);
    case 'text':
      return given.text;
    case 'bytes':
      reply.send(Buffer.from(given.text));
      break;
    case 'stream':
      return new StreamableFile(streamOf(given));
    case 'file':
      return new StreamableFile(createReadStream(fileOf(given)), { type: 'application/json' });
    case 'end':
      reply.hijack?.();
      rawOf(reply).end(given.text);
      break;
    case 'write':
      reply.hijack?.();
      for (const chunk of given.chunks) rawOf(reply).write(chunk);
      rawOf(reply).end();
      break;
    case 'empty':
      return undefined;
    case 'redirect':
      if (reply.raw) reply.redirect(given.location, given.status);
      else reply.redirect(given.status, given.location);
  }
  return undefined;
}

/** Node's own response. Express' is one itself. */
function rawOf(reply: Reply): ServerResponse {
  return reply.raw ?? (reply as unknown as ServerResponse);
}

function logBody(res: ServerResponse, log: ServerSetup['log']): void {
  const { write, end } = res;
  Object.assign(res, {
    write: (...args: unknown[]) => {
      log(args[0]);
      return Reflect.apply(write, res, args);
    },
    end: (...args: unknown[]) => {
      if (typeof args[0] !== 'function') log(args[0]);
      return Reflect.apply(end, res, args);
    },
  });
}

@Catch()
class AnswerErrors implements ExceptionFilter {
  readonly #host: HttpAdapterHost;

  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
    this.#host = host;
  }

  catch(error: { status?: number; details?: object }, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse();
    this.#host.httpAdapter.reply(response, { failed: true, ...error.details }, error.status ?? 500);
  }
}
