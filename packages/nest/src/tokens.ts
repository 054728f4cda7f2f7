/** Provides what `forRoot` or `forRootAsync` were given. */
export const OPTIONS: unique symbol = Symbol('E2eeOptions');
/** Provides the server end made of that, with the recipient lookup. */
export const SERVER: unique symbol = Symbol('E2eeServer');
