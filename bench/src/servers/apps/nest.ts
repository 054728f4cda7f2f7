import 'reflect-metadata';
import type { Server } from 'node:http';
import { E2eeModule } from '@e2ee/nest';
import { Controller, HttpCode, Module, Post, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ANSWER, PATHS } from '../scenarios.js';
import type { Setting } from './setting.js';

export async function nestApp({ server }: Setting): Promise<Server> {
  class Application {}
  Module({ imports: server ? [E2eeModule.forRoot(server)] : [], controllers: PATHS.map(controllerAt) })(
    Application,
  );
  const app = await NestFactory.create(Application, { logger: false });
  await app.init();
  return app.getHttpServer();
}

/** Decorators are called, because the loader that this runs by knows them in packages only. */
function controllerAt(path: string): Type {
  class Orders {
    create(): object {
      return ANSWER;
    }
  }
  const create = Object.getOwnPropertyDescriptor(Orders.prototype, 'create');
  for (const decorate of [Post(), HttpCode(200)]) decorate(Orders.prototype, 'create', create ?? {});
  Controller(path)(Orders);
  return Orders;
}
