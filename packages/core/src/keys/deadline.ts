/**
 * Settles as `work` does, or rejects with what `late` gives after so many milliseconds. What has no answer is not
 * waited for any more, and the timer does not keep a process alive.
 */
export async function withDeadline<Result>(
  work: Promise<Result>,
  milliseconds: number,
  late: () => unknown,
): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), milliseconds);
    if (typeof timer === 'object') timer.unref?.(); // a number in browsers
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
