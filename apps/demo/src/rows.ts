import { isCovered, leadsToCovered, MASK, PREFIX } from './covered-fields.js';
import type { Kind } from './palette.js';
import type { OperationName, Step } from './report.js';
import { tokenOf } from './tokens.js';

export interface Piece {
  readonly text: string;
  readonly kind: Kind;
}

/** One place in the bodies of a call, as each of the four saw it. */
export interface Row {
  readonly label: string;
  readonly depth: number;
  /** Whether the policy says anything of this place. */
  readonly isCovered: boolean;
  readonly wrote: readonly Piece[];
  readonly wire: readonly Piece[];
  readonly saw: readonly Piece[];
  readonly back: readonly Piece[];
}

/** How much of a large body is shown. */
const MAX_ELEMENTS = 3;
const MAX_ROWS = 40;

type Side = 'wrote' | 'wire' | 'saw' | 'backOnWire' | 'back';
type Sides = Readonly<Record<Side, unknown>>;
type Path = readonly (string | number)[];

/** The bodies of a call side by side: a row for each member, under the name that it has in plain. */
export function rowsOf(step: Step): Row[] {
  const sides: Sides = {
    wrote: step.merchantWrote,
    wire: underPlainNames(step.wireRequest?.body),
    saw: step.handlerSaw,
    backOnWire: underPlainNames(step.wireResponse?.body),
    back: step.merchantGot,
  };
  const rows = [...wholeMessage(step), ...new Walk(step).members(sides, [], 0)];
  if (rows.length <= MAX_ROWS) return rows;
  return [...rows.slice(0, MAX_ROWS), note(`… ${rows.length - MAX_ROWS} more lines`, 0)];
}

/** Members at the top of an answer that were not written and are not sensitive: named, not shown. */
export function onlyAnswered({ operation, merchantWrote, merchantGot }: Step): string[] {
  if (!isContainer(merchantGot)) return [];
  const written = isContainer(merchantWrote) ? merchantWrote : {};
  return Object.keys(merchantGot).filter(
    (name) => !Object.hasOwn(written, name) && !leadsToCovered(operation, name),
  );
}

function wholeMessage({ wireResponse }: Step): Row[] {
  const token = tokenOf(wireResponse?.body);
  if (!token) return [];
  return [{ ...note('(whole answer)', 0), back: [shortToken(token.text)] }];
}

class Walk {
  readonly #operation: OperationName;
  /** Members at the top that are left out. */
  readonly #beside: readonly string[];

  constructor(step: Step) {
    this.#operation = step.operation;
    this.#beside = onlyAnswered(step);
  }

  members(sides: Sides, path: Path, depth: number): Row[] {
    const all = [sides.wrote, sides.wire, sides.saw, sides.back].filter(isRecord);
    const names = [...new Set(all.flatMap(Object.keys))].filter(
      (name) => !this.#beside.includes(name) || path.length > 0,
    );
    return names.flatMap((name) => this.#place(memberOf(sides, name), [...path, name], name, depth));
  }

  #place(sides: Sides, path: Path, label: string, depth: number): Row[] {
    const all = Object.values(sides);
    const longest = Math.max(0, ...all.map((side) => (Array.isArray(side) ? side.length : 0)));
    const own = this.#row(sides, path, label, depth);
    const isShown = [own.wrote, own.wire, own.saw, own.back].some((pieces) => pieces.length > 0);
    if (longest > 0)
      return [...(isShown ? [own] : []), ...this.#elements(sides, path, { label, depth, longest })];
    if (!all.some((side) => isContainer(side) && Object.keys(side).length > 0)) return [own];
    return [own, ...this.members(sides, path, depth + 1)];
  }

  #elements(
    sides: Sides,
    path: Path,
    { label, depth, longest }: { readonly label: string; readonly depth: number; readonly longest: number },
  ): Row[] {
    // A note in place of the last element would save nothing.
    const shown = Array.from({ length: longest > MAX_ELEMENTS ? MAX_ELEMENTS - 1 : longest }, (_, i) =>
      this.#place(memberOf(sides, i), [...path, i], `${label}[${i}]`, depth),
    );
    const hidden = longest - shown.length;
    return [...shown.flat(), ...(hidden > 0 ? [note(`… ${hidden} more`, depth)] : [])];
  }

  #row(sides: Sides, path: Path, label: string, depth: number): Row {
    const covered = isCovered(this.#operation, path);
    const onWire = wirePieces(sides.wire, covered);
    const back = wirePieces(sides.backOnWire, covered).filter(
      ({ kind }) => kind === 'token' || kind === 'leak',
    );
    return {
      label,
      depth,
      isCovered: covered,
      wrote: plainPieces(sides.wrote, covered),
      wire: onWire,
      saw: plainPieces(sides.saw, covered),
      back: [...back, ...plainPieces(sides.back, covered)],
    };
  }
}

/** A value where it may be read. Containers are shown by their members. */
export function plainPieces(value: unknown, covered: boolean): Piece[] {
  if (value === undefined || (isContainer(value) && Object.keys(value).length > 0)) return [];
  if (covered && value === MASK) return [{ text: MASK, kind: 'mask' }];
  return [{ text: printable(value), kind: covered ? 'secret' : 'plain' }];
}

/** A value on the wire, where a covered one must not be read. */
export function wirePieces(value: unknown, covered: boolean): Piece[] {
  const token = tokenOf(value);
  if (token) return [shortToken(token.text)];
  return plainPieces(value, covered).map(({ text, kind }) => ({
    text,
    kind: kind === 'secret' && value !== null ? 'leak' : kind,
  }));
}

function shortToken(text: string): Piece {
  return { text: `${text.slice(0, 8)}…${text.slice(-3)}`, kind: 'token' };
}

/** As JSON, without the characters that move a terminal's cursor or turn its text round. */
function printable(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007F-\u009F\u200B\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A body with its encrypted members under their plain names, so that they stand in the row of their field. */
function underPlainNames(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(underPlainNames);
  if (!isContainer(body)) return body;
  const rename = (name: string, value: unknown): string =>
    name.startsWith(PREFIX) && tokenOf(value) ? name.slice(PREFIX.length) : name;
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [rename(name, value), underPlainNames(value)]),
  );
}

function memberOf(sides: Sides, name: string | number): Sides {
  const of = (side: unknown): unknown =>
    isContainer(side) && Object.hasOwn(side, name)
      ? (side as Record<string | number, unknown>)[name]
      : undefined;
  const { wrote, wire, saw, backOnWire, back } = sides;
  return { wrote: of(wrote), wire: of(wire), saw: of(saw), backOnWire: of(backOnWire), back: of(back) };
}

function isRecord(value: unknown): value is object {
  return isContainer(value) && !Array.isArray(value);
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function note(label: string, depth: number): Row {
  return { label, depth, isCovered: false, wrote: [], wire: [], saw: [], back: [] };
}
