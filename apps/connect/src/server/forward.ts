import { type Request, type RequestHandler, type Response, Router, raw } from 'express';
import { type AggregatorClient, type Answer, NoAnswer } from './aggregator-client.js';
import type { Arrived, RequestLog } from './log.js';
import type { Sessions } from './sessions.js';

interface Parts {
  readonly aggregator: AggregatorClient;
  readonly sessions: Sessions;
  readonly log: RequestLog;
}

/** What of the aggregator's API a page may reach through this server. */
const OPEN = /^\/(?:connectors|users\/me\/connections)(?:\/[\w-]+)?$/;
const BODY_LIMIT = '256kb';
// Bodies are taken as they come: one that is compressed is answered with 415.

/**
 * Passes calls on to the aggregator with the user's token, and logs them: what the back end of any page does. It reads
 * bytes; it could not read what is encrypted in them, and does not try.
 */
export function forward({ aggregator, sessions, log }: Parts): Router {
  const pass: RequestHandler = async (req, res) => {
    const session = sessions.find(req);
    if (session === undefined) return refuse(res, 401, 'session_expired');
    if (!OPEN.test(req.path)) return refuse(res, 404, 'notFound');
    const arrived = log.arrived(session, requestOf(req));
    const answer = await answerTo(arrived, await tokenOrFailure(session), req.path);
    if (answer.status === 401) sessions.end(session); // the aggregator does not know its user any more
    log.answered(session, arrived, answer.status, answer.body);
    res.status(answer.status).type(answer.type).send(answer.body);
  };

  const tokenOrFailure = (session: string): Promise<string | NoAnswer> =>
    sessions.token(session).catch((error: unknown) => failureOf(error));

  async function answerTo(
    { method, body, head }: Arrived,
    token: string | NoAnswer,
    path: string,
  ): Promise<Answer> {
    if (token instanceof NoAnswer) return failed(token);
    const type = /^content-type: *(.+)$/im.exec(head)?.[1];
    return aggregator
      .call({ method, path, token, type, body })
      .catch((error: unknown) => failed(failureOf(error)));
  }

  return Router().use(noStore, raw({ type: () => true, limit: BODY_LIMIT, inflate: false }), pass);
}

const noStore: RequestHandler = (_, res, next) => {
  res.set('cache-control', 'no-store');
  next();
};

function requestOf(req: Request): Omit<Arrived, 'id'> {
  const { method, originalUrl: path, httpVersion, rawHeaders } = req;
  const headers = rawHeaders.flatMap((name, i) =>
    i % 2 === 1 ? [] : `${name}: ${/^cookie$/i.test(name) ? '…' : rawHeaders[i + 1]}`,
  );
  const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  return { method, path, head: [`${method} ${path} HTTP/${httpVersion}`, ...headers].join('\r\n'), body };
}

function refuse(res: Response, status: number, code: string): void {
  res.status(status).json({ code });
}

function failureOf(error: unknown): NoAnswer {
  return error instanceof NoAnswer ? error : new NoAnswer(error);
}

function failed({ status, code }: NoAnswer): Answer {
  return { status, type: 'application/json', body: Buffer.from(JSON.stringify({ code })) };
}
