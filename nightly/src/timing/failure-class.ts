import type { E2eeErrorCode } from '@e2ee/core';

/** A way in which a token can be bad; each of its tokens must end in the same place. */
export interface FailureClass {
  readonly name: string;
  /** What must become of its tokens. */
  readonly expected: 'opens' | E2eeErrorCode;
  /** Several, so that no cache knows them, and no single one decides. */
  readonly tokens: readonly string[];
  /** Which group its median is compared with. What a sender knows by himself is not compared. */
  readonly group: 'reaches the key' | 'reference' | 'known to the sender';
}

/** The name of the second of two equal classes, whose difference shows how far medians can be trusted. */
export const CONTROL = 'flipped bit in the tag';
export const CONTROL_AGAIN = `${CONTROL}, once more (A/A)`;

const TOKENS = 64;

/** A class of tokens that `make` makes, flat in memory: a text that was put together is slower on its first use. */
export function failureClass(
  { name, group, expected }: Omit<FailureClass, 'tokens'>,
  make: () => string,
): FailureClass {
  const tokens = Array.from({ length: TOKENS }, () => Buffer.from(make()).toString());
  return { name, group, expected, tokens };
}
