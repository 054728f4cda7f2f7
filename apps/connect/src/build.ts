import { join } from 'node:path';
import { buildPage } from './build-page.js';

/* `pnpm build`: the page as it would be put on a server, for the aggregator at AGGREGATOR_URL. */

const { AGGREGATOR_URL = 'http://127.0.0.1:8059' } = process.env;
await buildPage(AGGREGATOR_URL, join(import.meta.dirname, '../dist/public'));
