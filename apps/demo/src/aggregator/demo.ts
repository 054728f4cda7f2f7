import type { Demo } from '../demos.js';
import { callEverything } from './calls.js';
import { renderAggregator } from './render.js';
import type { AggregatorReport } from './report.js';
import { type Overrides, startWorld } from './world.js';

/** A user signs in to banks through an aggregator, past a server that must not read along. */
export const aggregatorDemo: Demo = {
  about: 'a user types credentials for an aggregator, past a server without a key',
  async run() {
    const report = await runAggregator();
    return {
      ok: report.ok,
      json: { aggregator: report.steps },
      render: (screen) => renderAggregator(report, screen),
    };
  },
};

/** Runs the demonstration and judges it. Leaves nothing running. */
export async function runAggregator(overrides: Overrides = {}): Promise<AggregatorReport> {
  const world = await startWorld(overrides);
  try {
    const steps = await callEverything(world);
    return { ok: steps.every(({ checks }) => checks.every(({ ok }) => ok)), steps };
  } finally {
    await world.close();
  }
}
