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

/** Tells `hear` of every request of ours that the server logs. Resolves once it is listening, or cannot soon. */
export function followServerLog(url: string, hear: (entry: LogEntry) => void): Promise<void> {
  const events = new EventSource(url);
  events.addEventListener('message', ({ data }) => {
    const entry = JSON.parse(String(data)) as LogEntry; // our own server's, and shown as text only
    if (entry.method === 'POST') hear(entry);
  });
  return new Promise((resolve) => {
    events.addEventListener('open', () => resolve());
    events.addEventListener('error', () => resolve());
    setTimeout(resolve, 1_000);
  });
}
