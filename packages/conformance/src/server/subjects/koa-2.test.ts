import type Koa3 from 'koa';
import Koa from 'koa2';
import { runServerCases } from '../run.js';
import { koaSubject } from './koa.js';

// Koa 2 is used only in ways that the types of 3 describe as well.
runServerCases(koaSubject('Koa 2', Koa as unknown as typeof Koa3));
