export { type E2eeFetchOptions, e2ee } from './fetch.js';
