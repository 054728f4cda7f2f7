import { callEverything } from './calls.js';
import type { ConnectReport } from './report.js';
import { type Overrides, startWorld } from './world.js';

/** Runs the demonstration and judges it. Leaves nothing running. */
export async function runConnect(overrides: Overrides = {}): Promise<ConnectReport> {
  const world = await startWorld(overrides);
  try {
    const steps = await callEverything(world);
    const ok = steps.every(({ checks }) => checks.every((check) => check.ok));
    return { ok, place: world.user.place, steps };
  } finally {
    await world.close();
  }
}
