import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { E2eeModule } from '@e2ee/nest';
import {
  type ArgumentsHost,
  Body,
  Catch,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Module,
  Post,
  Res,
} from '@nestjs/common';
import {
  type AbstractHttpAdapter,
  APP_FILTER,
  BaseExceptionFilter,
  HttpAdapterHost,
  NestFactory,
} from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Application } from './application.js';
import type { Reply } from './handler.js';

const PLATFORMS = { express: () => new ExpressAdapter(), fastify: () => new FastifyAdapter() };

/** What both platforms' responses have. */
interface Response {
  header(name: string, value: string): unknown;
  send(body: unknown): unknown;
  status?(status: number): unknown;
}

export async function start(application: Application, platform: keyof typeof PLATFORMS): Promise<number> {
  const adapter: AbstractHttpAdapter = PLATFORMS[platform]();
  const app = await NestFactory.create(moduleOf(application), adapter, {
    logger: false,
    abortOnError: false,
  });
  await app.listen(0, '127.0.0.1');
  return (app.getHttpServer().address() as AddressInfo).port; // a TCP server has no other kind of address
}

function moduleOf({ options, recipient, handle, onError }: Application): new () => object {
  @Controller()
  class Bank {
    @Get('health')
    health(): string {
      return 'ok';
    }

    @Post('v2/payment_sessions')
    @HttpCode(200)
    pay(@Body() body: unknown, @Headers('x-act') act: unknown, @Res() res: Response): void {
      send(res, handle({ operation: 'POST /v2/payment_sessions', body, act }));
    }

    @Get('v2/payment_sessions/:id')
    show(@Headers('x-act') act: unknown, @Res() res: Response): void {
      send(res, handle({ operation: 'GET /v2/payment_sessions/:id', body: undefined, act }));
    }

    @Post('v2/mandates')
    @HttpCode(200)
    mandate(@Body() body: unknown): unknown {
      return handle({ operation: 'POST /v2/mandates', body, act: undefined }).body;
    }

    @Post('v2/bank_accounts')
    @HttpCode(200)
    account(@Body() body: unknown): unknown {
      return handle({ operation: 'POST /v2/bank_accounts', body, act: undefined }).body;
    }

    @Post('v2/messages')
    @HttpCode(200)
    message(@Body() body: unknown): unknown {
      return handle({ operation: 'POST /v2/messages', body, act: undefined }).body;
    }
  }

  @Catch()
  class Hear extends BaseExceptionFilter {
    constructor(@Inject(HttpAdapterHost) { httpAdapter }: HttpAdapterHost) {
      super(httpAdapter);
    }

    override catch(error: unknown, host: ArgumentsHost): void {
      onError(error);
      super.catch(error, host);
    }
  }

  @Module({
    imports: [E2eeModule.forRoot({ ...options, recipient: ({ headers }) => recipient(headers['x-client']) })],
    controllers: [Bank],
    providers: [{ provide: APP_FILTER, useClass: Hear }],
  })
  class Root {}
  return Root;
}

function send(res: Response, { status, body, text }: Reply): void {
  res.status?.(status);
  res.header('content-type', text === undefined ? 'application/json; charset=utf-8' : 'text/plain');
  res.send(text ?? (status === 204 ? undefined : JSON.stringify(body)));
}
