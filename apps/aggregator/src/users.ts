import { createHash, randomBytes } from 'node:crypto';
import type { Context, Next } from 'koa';
import { ApiError } from './api-error.js';

/** Users, known by the access tokens that they were given. Of a token only the hash is kept. */
export class Users {
  readonly #ids = new Map<string, number>();

  /** A new user and its permanent token. */
  create(): { id_user: number; auth_token: string; type: 'permanent' } {
    const auth_token = randomBytes(32).toString('base64url');
    const id_user = this.#ids.size + 1;
    this.#ids.set(hash(auth_token), id_user);
    return { id_user, auth_token, type: 'permanent' };
  }

  /** Middleware that lets a request on only with the token of a user, who is `ctx.state.userId` then; one path apart. */
  authenticate({ except }: { readonly except: string }): (ctx: Context, next: Next) => Promise<void> {
    return async (ctx, next) => {
      if (ctx.path === except) return next();
      const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(ctx.get('authorization'))?.[1];
      const userId = token === undefined ? undefined : this.#ids.get(hash(token));
      if (userId === undefined) {
        ctx.set('www-authenticate', 'Bearer realm="aggregator"');
        throw new ApiError(401, { code: 'unauthorized', description: 'A valid access token is required' });
      }
      ctx.state.userId = userId;
      await next();
    };
  }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
