import Koa from 'koa';
import Lowest from 'koa-lowest';
import Koa2 from 'koa2';

/** A version of Koa. The adapter imports nothing but types from it. */
export interface Version {
  readonly name: string;
  readonly Koa: typeof Koa;
}

export const versions: readonly Version[] = [
  { name: 'Koa 3', Koa },
  // The others are used here only in ways that the types of 3 describe as well.
  { name: 'Koa 2', Koa: Koa2 as unknown as typeof Koa },
  { name: 'Koa 2.15.0', Koa: Lowest as unknown as typeof Koa },
];
