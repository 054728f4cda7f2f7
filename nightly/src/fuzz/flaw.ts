/**
 * What must become of a message: it is accepted; it is refused as every bad token is; the same, or as one with an unknown
 * key; nobody knows, but for what always holds.
 */
export type Expected = 'accepted' | 'refused' | 'refused or rejected' | 'anything';

/** What is sent in the place of a good token. */
export interface Flawed {
  readonly value: unknown;
  readonly expected: Expected;
}
