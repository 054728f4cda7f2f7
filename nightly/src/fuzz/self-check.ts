import { FAULTS, type FaultName } from './child/faults.js';
import { fuzzServer } from './fuzz-server.js';

/** A planted fault, and whether it was found. */
export interface Checked {
  readonly fault: string;
  readonly isFound: boolean;
}

const INPUTS = 250;

/** Fuzzes a server with a fault until that is found: an oracle that finds nothing proves nothing. */
export async function selfCheck(fault: FaultName, time = 60_000): Promise<Checked> {
  const { finds } = FAULTS[fault];
  const bounds = { time, inputs: INPUTS, until: finds };
  const { tally } = await fuzzServer({ adapter: 'express', profile: 'banked', seed: 1, bounds, fault });
  return { fault, isFound: tally.findings.some(({ kind }) => kind === finds) };
}

export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
