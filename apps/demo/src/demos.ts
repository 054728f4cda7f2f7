import { aggregatorDemo } from './aggregator/demo.js';
import { bankDemo } from './bank-demo.js';
import { connectDemo } from './connect/demo.js';
import type { DemoOptions } from './options.js';
import type { Screen } from './render.js';
import { merchantDemo } from './shop/demo.js';

/** What came of a demonstration. */
export interface Shown {
  /** Whether everything happened that should have. */
  readonly ok: boolean;
  /** Its members of the document that `--json` prints. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The same for a person to read. */
  render(screen: Screen): string;
}

export interface Demo {
  /** A line of the help. */
  readonly about: string;
  /** Runs it and leaves nothing running. */
  run(options: Pick<DemoOptions, 'payload'>): Promise<Shown>;
}

export type DemoName = 'bank' | 'merchant' | 'aggregator' | 'connect';

/** The demonstrations, in the order in which they are shown. */
export const DEMOS: Readonly<Record<DemoName, Demo>> = {
  bank: bankDemo,
  merchant: merchantDemo,
  aggregator: aggregatorDemo,
  connect: connectDemo,
};
