import { changeKey } from './key-change.js';
import type { Payloads } from './payloads.js';
import type { Report } from './report.js';
import { callEverything } from './steps.js';
import { type Overrides, startWorld } from './world.js';

/** Runs the whole demonstration and judges it. Leaves nothing running. */
export async function runDemo(payloads: Payloads, overrides: Overrides = {}): Promise<Report> {
  const world = await startWorld(overrides);
  try {
    const { redact, encrypt, message } = world.partners;
    const steps = [
      ...(await callEverything(world, redact, payloads)),
      ...(await callEverything(world, encrypt, payloads)),
      ...(await changeKey(world, encrypt, payloads)),
      ...(await callEverything(world, message, payloads)),
    ];
    return { ok: steps.every(({ checks }) => checks.every(({ ok }) => ok)), steps };
  } finally {
    await world.close();
  }
}
