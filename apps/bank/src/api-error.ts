import type { ErrorRequestHandler, RequestHandler, Response } from 'express';

/** A refusal, in the words of the API's documentation. */
export interface Problem {
  readonly code: string;
  /** The member, header or part of the request that is to blame. */
  readonly source: string;
  readonly title: string;
}

/** Thrown by a handler to refuse a request. */
export class ApiError extends Error {
  readonly status: number;
  readonly problems: readonly Problem[];

  constructor(status: number, problems: Problem | readonly Problem[]) {
    const list = [problems].flat();
    super(list.map(({ title }) => title).join('; '));
    this.status = status;
    this.problems = list;
  }
}

export const notFound: RequestHandler = (req, _res, next): void => {
  next(new ApiError(404, { code: 'not_found', source: 'path', title: `there is no ${req.method} here` }));
};

/** The last middleware: every error as `{ errors: [{ code, source, title }] }`. */
export const answerErrors: ErrorRequestHandler = (error: unknown, _req, res, next): void => {
  if (res.headersSent) next(error);
  else if (error instanceof ApiError) answer(res, error.status, error.problems);
  else answer(res, statusOf(error), [problemOf(error)]);
};

function answer(res: Response, status: number, problems: readonly Problem[]): void {
  res.status(status).json({ errors: problems });
}

/** Body parsers throw errors that carry a status and say by `expose` whether the caller may read the message. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500;
}

function problemOf(error: unknown): Problem {
  if (statusOf(error) === 413) return { code: 'too_large', source: 'body', title: 'the body is too large' };
  if (statusOf(error) < 500) return { code: 'invalid', source: 'body', title: 'the body cannot be read' };
  return { code: 'internal', source: 'server', title: 'the request could not be processed' };
}
