import { E2eeError } from '../errors.js';
import { isDeeperThan, isJsonDeeperThan } from '../fields/depth.js';
import type { FieldSlot, Selection } from '../fields/select.js';
import type { FieldRule } from '../fields/tree.js';
import type { Limits } from './limits.js';

/** Throws `field_required` for a required field that is nowhere, or missing in one of the places where it belongs. */
export function checkRequiredFields(required: readonly FieldRule[], slots: readonly FieldSlot[]): void {
  for (const rule of required) {
    const places = slots.filter((slot) => slot.rule === rule);
    if (places.length > 0 && places.every(({ plain, wire }) => plain ?? wire)) continue;
    throw new E2eeError('field_required', `Field \`${rule.path}\` is required`, { path: rule.path });
  }
}

/** Throws `field_invalid` when the body has another shape than a path needs: what stands there could not be covered. */
export function refuseMismatch({ mismatch }: Selection): void {
  if (!mismatch) return;
  const { path } = mismatch;
  throw new E2eeError('field_invalid', `The body does not have the shape that field \`${path}\` needs`, {
    path,
  });
}

/** Throws `field_conflict` for a field that is there both in plain and encrypted. */
export function refuseConflict(slots: readonly FieldSlot[]): void {
  const slot = slots.find(({ plain, wire }) => plain && wire);
  if (!slot) return;
  const { path } = slot.rule;
  throw new E2eeError('field_conflict', `Field \`${path}\` is there both in plain and encrypted`, { path });
}

/** Throws `limit_exceeded` for a body that recursion could not walk safely. */
export function refuseDepth(body: unknown, { depth }: Pick<Limits, 'depth'>): void {
  if (isDeeperThan(body, depth)) refuseDeep(depth);
}

/** The same of a body that is a JSON text in UTF-8. */
export function refuseDeepJson(json: Uint8Array, { depth }: Pick<Limits, 'depth'>): void {
  if (isJsonDeeperThan(json, depth)) refuseDeep(depth);
}

function refuseDeep(depth: number): never {
  throw new E2eeError('limit_exceeded', `The body is nested deeper than ${depth} levels`);
}

/** Throws `limit_exceeded` for a token that the other end, with the same limits, would refuse. */
export function refuseLongToken(token: string, limit: number, path: string): void {
  if (token.length <= limit) return;
  throw new E2eeError(
    'limit_exceeded',
    `Field \`${path}\` is too large: its token has over ${limit} characters`,
    { path },
  );
}

/** Throws `limit_exceeded` for an array on the way to a field that has more elements than it may. */
export function refuseManyElements({ tooLong }: Selection, { elements }: Limits): void {
  if (!tooLong) return;
  const { path } = tooLong;
  throw new E2eeError(
    'limit_exceeded',
    `An array on the way to \`${path}\` has more than ${elements} elements`,
    {
      path,
    },
  );
}

/** Throws `limit_exceeded` for more encrypted fields than a body may hold. */
export function refuseManyTokens(slots: readonly FieldSlot[], { tokens }: Limits): void {
  if (slots.filter(({ plain, wire }) => plain ?? wire).length <= tokens) return;
  throw new E2eeError('limit_exceeded', `The body holds more than ${tokens} encrypted fields`);
}
