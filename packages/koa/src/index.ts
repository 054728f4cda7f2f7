export { type E2eeKoaOptions, e2ee } from './middleware.js';
