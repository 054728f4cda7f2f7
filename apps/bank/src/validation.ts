import { ApiError, type Problem } from './api-error.js';

/** A JSON object as it came, members of any kind. */
export type Body = Readonly<Record<string, unknown>>;

/** Says what is wrong with a member that is there, or nothing. */
export type Rule = (value: unknown) => string | undefined;

export interface Shape {
  /** At least one of these has to be there; what it holds is not judged. */
  readonly oneOf: readonly [string, ...string[]];
  /** What else is known of members. One that is absent or null is not judged, and unknown ones are welcome. */
  readonly rules: Readonly<Record<string, Rule>>;
}

export const amount: Rule = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? undefined
    : 'must be a whole number of minor units, 0 or more';

export const currency: Rule = (value) =>
  typeof value === 'string' && /^(?:[A-Z]{3})?$/.test(value) ? undefined : 'must be an ISO 4217 code';

export const text: Rule = (value) => (typeof value === 'string' ? undefined : 'must be a text');

export const list: Rule = (value) => (Array.isArray(value) ? undefined : 'must be a list');

/** The body, if it has the shape. Throws an {@link ApiError} that names everything that is wrong with it. */
export function validated(body: unknown, { oneOf, rules }: Shape): Body {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ApiError(400, { code: 'invalid', source: 'body', title: 'the body must be a JSON object' });
  }
  const members: Body = { ...body };
  const problems: Problem[] = Object.entries(rules).flatMap(([source, rule]) => {
    const value = Object.hasOwn(members, source) ? (members[source] ?? undefined) : undefined;
    const fault = value === undefined ? undefined : rule(value);
    return fault === undefined ? [] : [{ code: 'invalid', source, title: `${source} ${fault}` }];
  });
  if (!oneOf.some((member) => Object.hasOwn(members, member))) {
    problems.unshift({ code: 'required', source: oneOf[0], title: `${oneOf.join(' or ')} is required` });
  }
  if (problems.length > 0) throw new ApiError(400, problems);
  return members;
}
