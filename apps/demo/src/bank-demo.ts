import type { Demo } from './demos.js';
import { readPayloads } from './payloads.js';
import { renderReport } from './render.js';
import { runDemo } from './run.js';

/** Merchants call a bank. */
export const bankDemo: Demo = {
  about: 'merchants call a bank, with redaction, encrypted fields and whole messages',
  async run({ payload }) {
    const report = await runDemo(readPayloads(payload));
    return { ok: report.ok, json: { steps: report.steps }, render: (screen) => renderReport(report, screen) };
  },
};
