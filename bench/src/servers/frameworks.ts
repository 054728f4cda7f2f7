import type { Server } from 'node:http';
import { BARE } from '../names.js';
import type { Setting } from './apps/setting.js';

type MakeServer = (setting: Setting) => Promise<Server>;

/** Each is loaded by the process that needs it, so that no framework's memory counts as another's. */
export const FRAMEWORKS: Readonly<Record<string, () => Promise<MakeServer>>> = {
  express: async () => (await import('./apps/express.js')).expressApp,
  koa: async () => (await import('./apps/koa.js')).koaApp,
  nest: async () => (await import('./apps/nest.js')).nestApp,
  [BARE]: async () => (await import('./apps/bare.js')).bareApp,
};
