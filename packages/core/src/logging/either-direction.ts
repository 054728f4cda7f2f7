import type { FieldTree } from '../fields/tree.js';
import type { Operation } from '../policy/policy.js';

/** Where an operation has values that are protected in requests, in responses or in both. */
export interface EitherDirection {
  /** The whole body is. */
  readonly whole: boolean;
  readonly fields: FieldTree;
}

/** What an operation protects in either direction: a log must not hold in one what the other hides. */
export function eitherDirection({ request, response }: Operation): EitherDirection {
  const whole = request.whole !== undefined || response.whole !== undefined;
  return { whole, fields: union(request.fields, response.fields) ?? request.fields };
}

/** Of a value that one tree treats, and another tree in parts, the whole value. An exception holds where both have it. */
function union(one: FieldTree | undefined, other: FieldTree | undefined): FieldTree | undefined {
  if (!one || !other) return one ?? other;
  const treating = [one, other].find(({ rule }) => rule && rule.treatment !== 'none');
  if (treating) return treating;
  if (one.rule && other.rule) return one;
  const names = new Set([...one.members.keys(), ...other.members.keys()]);
  const members = new Map<string, FieldTree>();
  for (const name of names) {
    const child = union(one.members.get(name) ?? one.any, other.members.get(name) ?? other.any);
    if (child) members.set(name, child);
  }
  const any = union(one.any, other.any);
  const element = union(one.element, other.element);
  return { members, ...(any && { any }), ...(element && { element }) };
}
