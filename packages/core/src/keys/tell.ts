/** Tells a listener. One that fails, also later, must not decide whether there are keys. */
export function tell<Event>(listener: (event: Event) => void, event: Event): void {
  try {
    // A listener may be asynchronous, whatever its type says.
    Promise.resolve(listener(event) as unknown).catch(() => {});
  } catch {
    // It was told.
  }
}
