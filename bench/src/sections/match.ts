import { definePolicy } from '@e2ee/core';
import type { Context } from '../context.js';
import { interleave, type Row } from '../measure.js';
import { GROUPS } from '../names.js';

const CALLS = 10_000;

/** Finding the operation of a request in a policy of 10,000. */
export async function match({ effort }: Context): Promise<Row[]> {
  const row = { card: { request: 'encrypt' } } as const;
  const operations = Array.from({ length: 5_000 }, (_, i) => [
    [`POST /v2/things${i}/actions`, row],
    [`GET /v2/things${i}/:id/parts`, row],
  ]).flat();
  const policy = definePolicy(Object.fromEntries(operations));
  const paths = {
    'a literal path': ['POST', (i: number) => `/v2/things${i % 5_000}/actions`],
    'a parameter': ['GET', (i: number) => `/v2/things${i % 5_000}/0123456789/parts`],
    'no operation': ['POST', (i: number) => `/v3/other${i % 5_000}/actions`],
  } as const;
  const contestants = Object.entries(paths).map(([name, [method, pathOf]]) => {
    const asked = Array.from({ length: CALLS }, (_, i) => pathOf(i));
    const sample = async () => {
      const start = performance.now();
      for (const path of asked) policy.match(method, path);
      return { ns: ((performance.now() - start) / CALLS) * 1e6 };
    };
    return { name, sample };
  });
  return interleave(GROUPS.match, contestants, { ...effort.rounds, warmUp: 5 });
}
