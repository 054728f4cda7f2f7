import type { RequestHandler } from 'express';
import type { Arrived, Logged, RequestLog } from './log.js';
import type { Sessions } from './sessions.js';

/**
 * Shows a browser what this server logs of its requests, as events (WHATWG HTML, server-sent events). For demonstrations
 * only: a server that means it keeps its log to itself.
 */
export function logStream(log: RequestLog, sessions: Sessions): RequestHandler {
  return (req, res) => {
    const session = sessions.find(req);
    if (session === undefined) {
      res.status(204).end(); // tells the browser not to ask again
      return;
    }
    res.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    res.flushHeaders();
    const hear = (entry: Arrived | Logged): void => {
      res.write(`id: ${entry.id}\ndata: ${JSON.stringify(shown(entry))}\n\n`);
    };
    // What it has heard last: browsers that were cut off say it in a header.
    const after = Number(req.get('last-event-id') ?? req.query.after);
    const unfollow = log.follow(session, hear, Number.isSafeInteger(after) ? after : undefined);
    res.once('close', unfollow);
  };
}

function shown(entry: Arrived | Logged): object {
  const { id, method, path, head, body } = entry;
  const seen = { id, method, path, head, body: body.toString('utf8'), bytes: body.length };
  return 'status' in entry ? { ...seen, status: entry.status } : seen;
}
