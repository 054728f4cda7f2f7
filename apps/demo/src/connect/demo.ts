import type { Demo } from '../demos.js';
import { renderConnect } from './render.js';

/** A user types credentials into a page, whose server must not read them. */
export const connectDemo: Demo = {
  about: 'a user types credentials into a page in a real browser; its server reads none',
  async run() {
    const { runConnect } = await import('./run.js'); // with a bundler, which other demos need not wait for
    const report = await runConnect();
    return {
      ok: report.ok,
      json: { connect: report.steps },
      render: (screen) => renderConnect(report, screen),
    };
  },
};
