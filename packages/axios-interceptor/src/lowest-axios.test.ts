import axios from 'axios';
import * as lowest from 'axios-lowest';
import { expect, it, vi } from 'vitest';

// Everything again with the lowest version that is supported. A user has one axios, so that the interceptor, too, must
// get this one: an instance of 1.7 with the adapters of 1.21 would show nothing of 1.7's.
vi.mock('axios', () => import('axios-lowest'));

it('these tests run against the lowest supported axios', () => {
  expect(axios.VERSION).toBe('1.7.0');
  expect(axios).toBe(lowest.default);
});

await import('./installation.test.js');
await import('./interceptors.test.js');
await import('./leak-guard.test.js');
await import('./leaks.test.js');
await import('./paths.test.js');
await import('./recovery.test.js');
await import('./requests.test.js');
await import('./responses.test.js');
await import('./retries.test.js');
await import('./transport.test.js');
