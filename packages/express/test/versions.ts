import express5 from 'express';
import express4 from 'express4';
import { e2ee } from '../src/index.js';

/** A version of Express, and the adapter, which imports nothing but types from it. */
export interface Version {
  readonly name: string;
  readonly express: typeof express5;
  readonly e2ee: typeof e2ee;
}

export const versions: readonly Version[] = [
  { name: 'Express 5', express: express5, e2ee },
  // Express 4 is used here only in ways that the types of 5 describe as well.
  { name: 'Express 4', express: express4 as unknown as typeof express5, e2ee },
];
