export { type E2eeAxiosOptions, e2ee } from './interceptor.js';
