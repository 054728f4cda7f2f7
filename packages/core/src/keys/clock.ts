/** The time in seconds since the epoch, with fractions: what the times of keys are in. */
export function seconds(): number {
  return Date.now() / 1000;
}
