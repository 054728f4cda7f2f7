import type { AggregatorStep } from '../aggregator/report.js';
import type { Place } from './user.js';

/** One call of the page, seen from all sides. */
export interface ConnectStep extends AggregatorStep {
  readonly place: Place['kind'];
}

export interface ConnectReport {
  readonly ok: boolean;
  readonly place: Place;
  readonly steps: readonly ConnectStep[];
}
