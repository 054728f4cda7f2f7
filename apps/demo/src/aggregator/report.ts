import type { Check } from '../report.js';

/** One call of the user interface, seen from all sides. */
export interface AggregatorStep {
  readonly name: string;
  /** `POST /users/me/connections` */
  readonly call: string;
  readonly status: number;
  /** What the user typed, beside what the user interface itself says. */
  readonly typed: Readonly<Record<string, unknown>>;
  /** The body in the log of the intermediate server. */
  readonly intermediateSaw: unknown;
  readonly aggregatorSaw: unknown;
  /** What came back to the user interface. */
  readonly confirmed: unknown;
  readonly checks: readonly Check[];
}

export interface AggregatorReport {
  readonly ok: boolean;
  readonly steps: readonly AggregatorStep[];
}
