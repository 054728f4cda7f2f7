import type { FieldPath } from './path.js';

/** How a value becomes the plaintext of a token: its JSON text, or the UTF-8 bytes of a string. */
export type FieldEncoding = 'json' | 'text';

/** What a policy says of one field path in one direction. */
export interface FieldRule<Treatment extends string = string> {
  /** The path as it was written. */
  readonly path: string;
  readonly segments: FieldPath;
  readonly treatment: Treatment;
  readonly as: FieldEncoding;
  readonly required: boolean;
}

/**
 * The rules of one direction, arranged so that one walk through a body finds every field. A node that carries a rule is
 * a leaf. A named member already includes what `*` says of it.
 */
export interface FieldTree<Rule = FieldRule> {
  readonly rule?: Rule;
  readonly members: ReadonlyMap<string, FieldTree<Rule>>;
  readonly any?: FieldTree<Rule>;
  readonly element?: FieldTree<Rule>;
}

/** Two rules that cannot both hold. */
export class OverlapError extends Error {
  constructor(first: FieldRule, second: FieldRule) {
    super(`\`${first.path}\` and \`${second.path}\` overlap`);
  }
}

/** Arranges rules into a tree. Throws {@link OverlapError}. */
export function buildFieldTree(rules: readonly FieldRule[]): FieldTree {
  return subtree(rules, 0);
}

/** The tree below the node that all of `rules` lead to after `depth` segments. */
function subtree(rules: readonly FieldRule[], depth: number): FieldTree {
  const ending = rules.filter((rule) => rule.segments.length === depth);
  const going = rules.filter((rule) => rule.segments.length > depth);
  const rule = ending.reduce<FieldRule | undefined>(
    (one, other) => (one ? narrower(one, other) : other),
    undefined,
  );
  if (rule && going[0]) throw new OverlapError(rule, going[0]);

  const through = (kind: 'any' | 'element'): FieldRule[] =>
    going.filter((it) => it.segments[depth]?.kind === kind);
  const anyRules = through('any');
  const elementRules = through('element');
  const names = new Set(going.map((it) => memberName(it, depth)).filter((name) => name !== undefined));
  const named = (name: string): FieldRule[] => going.filter((it) => memberName(it, depth) === name);
  const members = new Map(
    [...names].map((name) => [name, subtree([...named(name), ...anyRules], depth + 1)]),
  );
  return {
    ...(rule && { rule }),
    members,
    ...(anyRules.length > 0 && { any: subtree(anyRules, depth + 1) }),
    ...(elementRules.length > 0 && { element: subtree(elementRules, depth + 1) }),
  };
}

function memberName(rule: FieldRule, depth: number): string | undefined {
  const segment = rule.segments[depth];
  return segment?.kind === 'member' ? segment.name : undefined;
}

/** Of two rules for the same values, an exception `none` wins over the wildcard that it narrows. */
function narrower(one: FieldRule, other: FieldRule): FieldRule {
  if (isExceptionTo(one, other)) return one;
  if (isExceptionTo(other, one)) return other;
  throw new OverlapError(one, other);
}

function isExceptionTo(narrow: FieldRule, wide: FieldRule): boolean {
  const narrows = wide.segments.map(
    (segment, i) => segment.kind === 'any' && narrow.segments[i]?.kind === 'member',
  );
  return narrow.treatment === 'none' && narrows.includes(true) && !narrowsBack(narrow, wide);
}

function narrowsBack(narrow: FieldRule, wide: FieldRule): boolean {
  return narrow.segments.some((segment, i) => segment.kind === 'any' && wide.segments[i]?.kind === 'member');
}
