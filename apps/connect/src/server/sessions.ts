import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';

const COOKIE = 'connect_session';
/** The oldest go first, as in the log. */
const CAPACITY = 1_000;

/** A visitor's browser, known by a cookie, and the token of the aggregator's user that stands for it. */
export class Sessions {
  readonly #tokens = new Map<string, Promise<string> | undefined>();
  readonly #newToken: () => Promise<string>;

  constructor(newToken: () => Promise<string>) {
    this.#newToken = newToken;
  }

  /** Gives a browser that comes for the page a session, unless it has one. */
  begin(req: Request, res: Response): void {
    if (this.find(req) !== undefined) return;
    const session = randomBytes(32).toString('base64url');
    this.#tokens.set(session, undefined);
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > CAPACITY && oldest !== undefined) this.#tokens.delete(oldest);
    res.cookie(COOKIE, session, { httpOnly: true, sameSite: 'strict', secure: req.secure });
  }

  /** The session of a request, if it has a valid one. */
  find(req: Request): string | undefined {
    const cookies = (req.get('cookie') ?? '').split(/; */).map((cookie) => cookie.split('='));
    const session = cookies.find(([name]) => name === COOKIE)?.[1];
    return session !== undefined && this.#tokens.has(session) ? session : undefined;
  }

  /** The user's token; a new user when there is none yet. Rejects when the aggregator gives none. */
  async token(session: string): Promise<string> {
    const known = this.#tokens.get(session);
    if (known) return known;
    const made = this.#newToken();
    this.#tokens.set(session, made);
    made.catch(() => this.#tokens.delete(session) && this.#tokens.set(session, undefined));
    return made;
  }

  end(session: string): void {
    this.#tokens.delete(session);
  }

  endAll(): void {
    this.#tokens.clear();
  }
}
