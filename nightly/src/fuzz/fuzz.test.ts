import { describe, expect, test } from 'vitest';
import type { FaultName } from './child/faults.js';
import { selfCheck } from './self-check.js';
import { SUBJECTS } from './subjects.js';

const SEED = 20_260;
/** Where a machine is too slow for all the inputs, fewer have to do. */
const BOUNDS = { inputs: 60, time: 2_000 };
/** Each subject starts a process of its own, which takes long on a busy machine. */
const TIMEOUT = { timeout: 300_000 };

describe('under inputs that are hostile, or only odd', () => {
  const bound = SUBJECTS.filter(({ name }) => name.endsWith('strict'));
  test.concurrent.for(bound)(
    '$name lets nothing out or in, and goes on',
    TIMEOUT,
    async ({ fuzz }, { expect }) => {
      const { tally } = await fuzz(SEED, BOUNDS);
      expect(tally.findings).toEqual([]);
      expect(tally.inputs).toBeGreaterThan(0);
    },
  );
});

describe('the fuzzer finds', () => {
  test.for<FaultName>(['echo', 'accept', 'crash'])('a planted fault: %s', TIMEOUT, async (fault) => {
    expect(await selfCheck(fault)).toEqual({ fault, isFound: true });
  });
});
