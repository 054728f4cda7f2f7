/** The shortest of several runs in milliseconds: what the work costs when nothing else disturbs it. */
export function fastest(work: () => unknown, times = 5): number {
  const runs = Array.from({ length: times }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...runs);
}
