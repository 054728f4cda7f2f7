import { PROFILES, type ProfileName, recipients, serverRing } from '../setup.js';
import type { Application } from './application.js';
import { start as startExpress } from './express.js';
import { FAULTS, type Fault } from './faults.js';
import { handle } from './handler.js';
import { start as startKoa } from './koa.js';
import { start as startNest } from './nest.js';
import { checkSecrecy, tell, watch } from './watch.js';

/* A server to be fuzzed, in a process of its own: `server.ts <adapter> <profile> [<fault>]`. */

const STARTS: Readonly<Record<string, (application: Application) => Promise<number>>> = {
  express: startExpress,
  koa: startKoa,
  'nest-express': (application) => startNest(application, 'express'),
  'nest-fastify': (application) => startNest(application, 'fastify'),
};

async function main([adapter = '', profileName = '', faultName = '']: readonly string[]): Promise<void> {
  const fault: Fault = new Map<string, Fault>(Object.entries(FAULTS)).get(faultName) ?? { finds: 'crash' };
  const profile = PROFILES[profileName as ProfileName]; // our parent passes no other
  watch();
  const port = await STARTS[adapter]?.({
    options: { profile, keyRing: await serverRing(), onEvent: checkSecrecy, ...fault.options },
    recipient: await recipients(),
    handle: fault.handler?.(handle) ?? handle,
    arrive: fault.arrive ?? (() => undefined),
    onError: checkSecrecy,
  });
  if (port === undefined) throw new Error(`There is no adapter ${adapter}`);
  tell({ type: 'ready', port });
}

await main(process.argv.slice(2));
