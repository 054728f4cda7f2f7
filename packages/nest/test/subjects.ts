import * as nest12 from './nest.js';
import * as marked from './nest.js?nest-11';

export type Nest = typeof nest12;

/** A version of Nest on one of its platforms, and the adapter with that version. */
export interface Subject {
  readonly name: string;
  readonly nest: Nest;
  readonly platform: 'Express' | 'Fastify';
}

// Nest 11 is used here only in ways that the types of 12 describe as well.
const nest11 = marked as unknown as Nest;

export const subjects: readonly Subject[] = [
  { name: 'Nest 12 on Express', nest: nest12, platform: 'Express' },
  { name: 'Nest 12 on Fastify', nest: nest12, platform: 'Fastify' },
  { name: 'Nest 11 on Express', nest: nest11, platform: 'Express' },
  { name: 'Nest 11 on Fastify', nest: nest11, platform: 'Fastify' },
];
