/** Whether a JSON value is nested deeper than `limit` containers. Needs no recursion, so that depth cannot harm it. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  let level = containers([value]);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === limit) return true;
    level = containers(level.flatMap((container) => Object.values(container)));
  }
  return false;
}

function containers(values: readonly unknown[]): object[] {
  return values.filter((value): value is object => typeof value === 'object' && value !== null);
}
