import { CONTROL, CONTROL_AGAIN, type FailureClass } from './failure-class.js';
import type { Measured } from './measure.js';

/** What the times of a class come to, in microseconds. */
export interface Row {
  readonly name: string;
  readonly group: FailureClass['group'];
  readonly n: number;
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  /** To the median of the medians of the classes that reach the key. */
  readonly ratio: number;
  readonly standsOut: boolean;
}

export interface Verdict {
  readonly rows: readonly Row[];
  /** How far the medians of two equal classes are apart, as a share. */
  readonly noise: number;
}

/** Medians nearer than this to the group's are not marked. */
const NEAR = 0.05;

export function judge(measured: readonly Measured[]): Verdict {
  const rows = measured.map(({ kind, times }) => {
    const sorted = times.toSorted();
    const [p10, median, p90] = [0.1, 0.5, 0.9].map((share) => quantile(sorted, share)) as [
      number,
      number,
      number,
    ];
    return { name: kind.name, group: kind.group, n: times.length, median, p10, p90 };
  });
  const reaching = rows.filter(({ group }) => group === 'reaches the key').map(({ median }) => median);
  const centre = quantile(Float64Array.from(reaching).sort(), 0.5);
  const medianOf = (name: string): number => rows.find((row) => row.name === name)?.median ?? Number.NaN;
  const noise = Math.abs(medianOf(CONTROL) - medianOf(CONTROL_AGAIN)) / centre;
  return {
    noise,
    rows: rows.map((row) => {
      const ratio = row.median / centre;
      const standsOut = row.group === 'reaches the key' && Math.abs(ratio - 1) > Math.max(NEAR, noise);
      return { ...row, ratio, standsOut };
    }),
  };
}

function quantile(sorted: Float64Array, share: number): number {
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number]; // both are inside
  return below + (above - below) * (at - Math.floor(at));
}
