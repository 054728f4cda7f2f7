import type { Context, Next } from 'koa';

/** A refusal, in the form of the profile's own errors. */
export interface Problem {
  readonly code: string;
  /** For people. Never holds a value that was sent. */
  readonly description: string;
  /** The member that is to blame, where it is one. */
  readonly field?: string;
}

/** Thrown by a handler to refuse a request. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(problem.description);
    this.status = status;
    this.problem = problem;
  }
}

/** The first middleware: every error as `{ code, description, field }`, and so what no route knows. */
export async function answerErrors(ctx: Context, next: Next): Promise<void> {
  try {
    await next();
    if (ctx.status === 404 && ctx.body === undefined)
      throw new ApiError(404, { code: 'notFound', description: `There is no ${ctx.method} here` });
  } catch (error) {
    const status = error instanceof ApiError ? error.status : statusOf(error);
    ctx.status = status;
    ctx.body = error instanceof ApiError ? error.problem : problemOf(status);
    if (status >= 500) ctx.app.emit('error', error, ctx);
  }
}

/** Body parsers throw errors that carry a status. Their messages quote the body. */
function statusOf(error: unknown): number {
  const status: unknown = Reflect.get(Object(error), 'status');
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500;
}

function problemOf(status: number): Problem {
  if (status === 413) return { code: 'tooLarge', description: 'The body is too large' };
  if (status < 500) return { code: 'invalidBody', description: 'The body cannot be read' };
  return { code: 'internal', description: 'The request could not be processed' };
}
