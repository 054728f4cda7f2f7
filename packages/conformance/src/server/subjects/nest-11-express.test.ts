import { runServerCases } from '../run.js';
import type { nestSubject as NestSubject } from './nest.js';
import { nestSubject } from './nest.js?nest-11';

runServerCases((nestSubject as typeof NestSubject)('Nest 11', 'Express'));
