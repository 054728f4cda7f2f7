import type { Bounds } from './drive.js';
import { fuzzClient } from './fuzz-client.js';
import { fuzzServer, type Outcome } from './fuzz-server.js';
import type { ProfileName } from './setup.js';

/** An adapter under a profile. */
export interface FuzzSubject {
  readonly name: string;
  readonly fuzz: (seed: number, bounds: Bounds) => Promise<Outcome>;
}

const SERVERS = ['express', 'koa', 'nest-express', 'nest-fastify'];
const CLIENTS = ['axios', 'fetch'];
const PROFILE_NAMES: readonly ProfileName[] = ['banked', 'strict'];

export const SUBJECTS: readonly FuzzSubject[] = PROFILE_NAMES.flatMap((profile) => [
  ...SERVERS.map(
    (adapter): FuzzSubject => ({
      name: `${adapter} ${profile}`,
      fuzz: (seed, bounds) => fuzzServer({ adapter, profile, seed, bounds }),
    }),
  ),
  ...CLIENTS.map(
    (adapter): FuzzSubject => ({
      name: `${adapter} ${profile}`,
      fuzz: (seed, bounds) => fuzzClient({ adapter, profile, seed, bounds }),
    }),
  ),
]);
