export { type E2eeExpressOptions, e2ee } from './middleware.js';
