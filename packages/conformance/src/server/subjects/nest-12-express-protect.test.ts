import { runServerCases } from '../run.js';
import { nestSubject } from './nest.js';

runServerCases(nestSubject('Nest 12', 'Express', 'handlers'));
