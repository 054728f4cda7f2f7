/** A request of ours in the log of the page's server. */
export interface LogEntry {
  readonly id: number;
  readonly method: string;
  readonly path: string;
  /** The first line and the headers. */
  readonly head: string;
  readonly body: string;
  /** How many the body has. */
  readonly bytes: number;
  /** Once it is answered. */
  readonly status?: number;
}

/**
 * Tells `hear` of every request of ours that the server logs. Resolves once it is listening, or cannot soon.
 *
 * A page that nobody looks at does not listen: browsers have few connections to a server, for all tabs together. Once it
 * is looked at again it hears what it has missed.
 */
export function followServerLog(url: string, hear: (entry: LogEntry) => void): Promise<void> {
  let events: EventSource | undefined;
  let last = 0;
  const open = (): void => {
    events = new EventSource(`${url}?after=${last}`);
    events.addEventListener('message', ({ data }) => {
      const entry = JSON.parse(String(data)) as LogEntry; // our own server's, and shown as text only
      last = Math.max(last, entry.id);
      if (entry.method === 'POST') hear(entry);
    });
  };
  const close = (): void => {
    events?.close();
    events = undefined;
  };
  const follow = (): void => {
    if (document.visibilityState !== 'visible') close();
    else if (events === undefined) open();
  };
  follow();
  document.addEventListener('visibilitychange', follow);
  addEventListener('pagehide', close);
  addEventListener('pageshow', follow);
  return new Promise((resolve) => {
    if (events === undefined) resolve();
    events?.addEventListener('open', () => resolve());
    events?.addEventListener('error', () => resolve());
    setTimeout(resolve, 1_000);
  });
}
