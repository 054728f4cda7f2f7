import Koa from 'koa';
import { runServerCases } from '../run.js';
import { koaSubject } from './koa.js';

runServerCases(koaSubject('Koa 3', Koa));
