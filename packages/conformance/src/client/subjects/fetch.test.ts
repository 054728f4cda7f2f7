import { runClientCases } from '../run.js';
import { fetchSubject } from './fetch.js';

runClientCases(fetchSubject());
