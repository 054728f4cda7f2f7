import type { Demo } from '../demos.js';
import { callEverything } from './calls.js';
import { renderShop } from './render.js';
import type { ShopReport } from './report.js';
import { type Overrides, startWorld } from './world.js';

/** A customer pays in a shop, and the shop pays through the bank. */
export const merchantDemo: Demo = {
  about: 'a customer pays in a shop, which pays through the bank: encrypted on both ways',
  async run() {
    const report = await runShop();
    return {
      ok: report.ok,
      json: { merchant: report.steps },
      render: (screen) => renderShop(report, screen),
    };
  },
};

/** Runs the demonstration and judges it. Leaves nothing running. */
export async function runShop(overrides: Overrides = {}): Promise<ShopReport> {
  const world = await startWorld(overrides);
  try {
    const steps = await callEverything(world);
    return { ok: steps.every(({ checks }) => checks.every(({ ok }) => ok)), steps };
  } finally {
    await world.close();
  }
}
