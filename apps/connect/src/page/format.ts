/** A part of a format: a character that stands there, or a run of digits. */
type Piece =
  | { readonly kind: 'fixed'; readonly character: string }
  | { readonly kind: 'digits'; readonly from: number; readonly to: number };

/** What a value looks like as a whole: one piece after the other. */
export type Format = readonly Piece[];

/** A run of digits, a character of those that stand between numbers, or such a one after a backslash. */
const PIECE = /\\d\{(?<from>\d{1,2})(?:,(?<to>\d{1,2}))?\}|\\(?<escaped>[./-])|(?<plain>[\d/ -])/y;
/** Of a value. Nothing that a person types in such a form is longer. */
const LONGEST = 64;

/**
 * The format that an expression describes, where it is of the kind that forms are made of: `\d{8,11}`,
 * `\d{2}/\d{2}/\d{4}`. Any other is none: expressions come through a server that is not trusted, and some never end.
 */
export function readFormat(regex: string): Format | undefined {
  const pieces: Piece[] = [];
  let longest = 0;
  for (PIECE.lastIndex = 0; PIECE.lastIndex < regex.length; ) {
    const { from, to = from, escaped, plain } = PIECE.exec(regex)?.groups ?? {};
    const piece = pieceOf({ from, to, character: escaped ?? plain });
    if (piece === undefined) return undefined;
    longest += piece.kind === 'fixed' ? 1 : piece.to;
    if (longest > LONGEST || pieces.push(piece) > LONGEST) return undefined;
  }
  return pieces.length === 0 ? undefined : pieces;
}

interface Parts {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly character: string | undefined;
}

function pieceOf({ from, to, character }: Parts): Piece | undefined {
  if (character !== undefined) return { kind: 'fixed', character };
  const digits = { kind: 'digits', from: Number(from), to: Number(to) } as const;
  return digits.from <= digits.to ? digits : undefined; // of what did not match: not a number
}

/** Whether a value is of a format. Takes time in proportion to its length, whatever the format is. */
export function isOfFormat(format: Format, value: string): boolean {
  if (value.length > LONGEST) return false;
  let ends = new Set([0]);
  for (const piece of format) ends = new Set([...ends].flatMap((start) => endsOf(piece, value, start)));
  return ends.has(value.length);
}

/** Where a piece that begins at `start` may end. */
function endsOf(piece: Piece, value: string, start: number): number[] {
  if (piece.kind === 'fixed') return value[start] === piece.character ? [start + 1] : [];
  const ends = piece.from === 0 ? [start] : [];
  for (let end = start + 1; end <= start + piece.to && isDigit(value.charCodeAt(end - 1)); end += 1)
    if (end >= start + piece.from) ends.push(end);
  return ends;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Whether values of a format are digits and nothing else. */
export function isNumber(format: Format): boolean {
  return format.every((piece) => piece.kind === 'digits');
}

/** A format in words, where there are any: `8 to 11 digits`, `as in 00/00/0000`. */
export function inWords(format: Format): string | undefined {
  const [first] = format;
  if (format.length === 1 && first?.kind === 'digits') return digitsInWords(first.from, first.to);
  const isPicture = format.every((piece) => piece.kind === 'fixed' || piece.from === piece.to);
  if (!isPicture || !format.some(({ kind }) => kind === 'digits')) return undefined;
  return `as in ${format.map((piece) => (piece.kind === 'fixed' ? piece.character : '0'.repeat(piece.to))).join('')}`;
}

function digitsInWords(from: number, to: number): string {
  if (from !== to) return `${from} to ${to} digits`;
  return from === 1 ? '1 digit' : `${from} digits`;
}
