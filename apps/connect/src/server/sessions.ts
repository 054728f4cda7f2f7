import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';

const COOKIE = 'connect_session';
/** Of those that have been used, and of the others. Those that were not used for the longest time go first. */
const CAPACITY = 1_000;

/** A visitor's browser, known by a cookie, and the token of the aggregator's user that stands for it. */
interface Visitor {
  token?: Promise<string> | undefined;
}

export class Sessions {
  /** Whoever loads the page any number of times drives out only others that have done no more. */
  readonly #fresh = new Map<string, Visitor>();
  readonly #used = new Map<string, Visitor>();
  readonly #newToken: () => Promise<string>;

  constructor(newToken: () => Promise<string>) {
    this.#newToken = newToken;
  }

  /**
   * Gives a browser that comes for the page a session, with a user of its own. What it had before ends: it may have been
   * put there by somebody who wants to look on.
   */
  begin(req: Request, res: Response): void {
    this.end(cookieOf(req) ?? '');
    const session = randomBytes(32).toString('base64url');
    put(this.#fresh, session, {});
    res.cookie(nameFor(req), session, { httpOnly: true, sameSite: 'strict', secure: req.secure, path: '/' });
  }

  /** The session of a request, if it has a valid one. It is in use then. */
  find(req: Request): string | undefined {
    const session = cookieOf(req);
    if (session === undefined) return undefined;
    const visitor = this.#fresh.get(session) ?? this.#used.get(session);
    if (visitor === undefined) return undefined;
    this.end(session);
    put(this.#used, session, visitor);
    return session;
  }

  /** The user's token; a new user when there is none yet. Rejects when the aggregator gives none. */
  async token(session: string): Promise<string> {
    const visitor = this.#used.get(session) ?? {};
    const made = visitor.token ?? this.#newToken();
    visitor.token = made;
    made.catch(() => {
      visitor.token = undefined;
    });
    return made;
  }

  end(session: string): void {
    this.#fresh.delete(session);
    this.#used.delete(session);
  }

  endAll(): void {
    this.#fresh.clear();
    this.#used.clear();
  }
}

/** At the end of a map that is in the order of use. */
function put(visitors: Map<string, Visitor>, session: string, visitor: Visitor): void {
  visitors.set(session, visitor);
  const [oldest] = visitors.keys();
  if (visitors.size > CAPACITY && oldest !== undefined) visitors.delete(oldest);
}

/** Browsers take a cookie of the longer name only from this very host, by https. */
function nameFor({ secure }: Request): string {
  return secure ? `__Host-${COOKIE}` : COOKIE;
}

function cookieOf(req: Request): string | undefined {
  const cookies = (req.get('cookie') ?? '').split(/; */).map((cookie) => cookie.split('='));
  return cookies.find(([name]) => name === nameFor(req))?.[1];
}
