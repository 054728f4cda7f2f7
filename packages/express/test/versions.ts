import * as core from '@e2ee/core';
import express5 from 'express';
import express4 from 'express4';
import { vi } from 'vitest';
import type { e2ee } from '../src/index.js';

/** A version of Express, and the adapter as it is where that version is the one installed. */
export interface Version {
  readonly name: string;
  readonly express: typeof express5;
  readonly e2ee: typeof e2ee;
}

export const versions: readonly Version[] = [
  await version('Express 5', express5),
  // Express 4 is used here only in ways that the types of 5 describe as well.
  await version('Express 4', express4 as unknown as typeof express5),
];

/** Loads the adapter anew, with its `import 'express'` leading to the given version. Core stays the same. */
async function version(name: string, express: typeof express5): Promise<Version> {
  vi.resetModules();
  vi.doMock('express', () => ({ default: express }));
  vi.doMock('@e2ee/core', () => core);
  const { default: installed } = await import('express');
  if (installed !== express) throw new Error(`The adapter would not run on ${name}`);
  return { name, express, e2ee: (await import('../src/index.js')).e2ee };
}
