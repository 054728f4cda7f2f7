import type { Metric, Row } from './measure.js';
import { median, ratios } from './statistics.js';

/** Which series is meant. */
export interface Series {
  readonly group: string;
  readonly name: string;
  /** Default `rate`. */
  readonly metric?: Metric;
}

/** Finds what was measured. */
export class Results {
  readonly rows: readonly Row[];

  constructor(rows: readonly Row[]) {
    this.rows = rows;
  }

  find({ group, name, metric = 'rate' }: Series): Row | undefined {
    return this.rows.find((row) => row.group === group && row.name === name && row.metric === metric);
  }

  median(series: Series): number | undefined {
    return this.find(series)?.median;
  }

  /** Round by round. Nothing where one of the two was not measured. */
  ratios(one: Series, other: Series): number[] | undefined {
    const [a, b] = [this.find(one), this.find(other)];
    return a && b && ratios(a.rounds, b.rounds);
  }

  /** The median of the rounds' ratios. Nothing where one of the two was not measured. */
  ratio(one: Series, other: Series): number | undefined {
    const all = this.ratios(one, other);
    return all && median(all);
  }
}
