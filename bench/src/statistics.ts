/** The value below which a share (0 to 1) of the samples lies, between two neighbours in proportion. NaN for no sample. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** What is said of a series of samples. */
export interface Summary {
  readonly median: number;
  /** A tenth of the samples lies below. */
  readonly low: number;
  /** A tenth of the samples lies above. */
  readonly high: number;
}

export function summaryOf(samples: readonly number[]): Summary {
  return { median: median(samples), low: quantile(samples, 0.1), high: quantile(samples, 0.9) };
}

/** Round by round, so that what slowed a whole round down cancels out. */
export function ratios(samples: readonly number[], others: readonly number[]): number[] {
  return samples.slice(0, others.length).map((sample, i) => sample / (others[i] as number)); // cut to its length
}

/**
 * How far from the truth the median of some ratios may be when both sides are the same thing: the larger end of the 95 %
 * interval of that median (by resampling), as a distance from 1.
 */
export function noiseOf(sameToSame: readonly number[], random: () => number = Math.random): number {
  const medians = Array.from({ length: 1000 }, () =>
    median(sameToSame.map(() => sameToSame[Math.floor(random() * sameToSame.length)] as number)),
  );
  return Math.max(Math.abs(quantile(medians, 0.025) - 1), Math.abs(quantile(medians, 0.975) - 1));
}

/** The exponent k of y ≈ c·x^k, by least squares on logarithms. */
export function exponentOf(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / logs.length;
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / logs.length;
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
