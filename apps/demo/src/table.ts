import { displayWidth, wrap } from './display-width.js';
import type { Palette } from './palette.js';
import type { Piece, Row } from './rows.js';

/** How much room there is, and in which colours. */
export interface Frame {
  readonly width: number;
  readonly palette: Palette;
}

/** One of the four views of a row, and what stands above it. */
export interface Column {
  readonly title: string;
  readonly of: (row: Row) => readonly Piece[];
}

const COLUMNS: readonly Column[] = [
  { title: 'merchant wrote', of: (row) => row.wrote },
  { title: 'on the wire →', of: (row) => row.wire },
  { title: 'handler saw', of: (row) => row.saw },
  { title: 'came back ←', of: (row) => row.back },
];

/** Below this, the way there and the way back stand one under the other. */
const SIDE_BY_SIDE = 100;
const INDENT = 2;
const GAP = 2;
const LABEL = { min: 8, max: 20 } as const;
const CELL_LINES = 2;

/** The rows as a table, in lines of at most `width` characters. */
export function renderTable(
  rows: readonly Row[],
  { width, palette }: Frame,
  views: readonly Column[] = COLUMNS,
): string[] {
  const tables = width >= SIDE_BY_SIDE ? [views] : [views.slice(0, 2), views.slice(2)];
  const filled = tables
    .map((columns) => columns.filter((column) => rows.some((row) => column.of(row).length > 0)))
    .filter((columns) => columns.length > 0);
  return filled.flatMap((columns, i) => [
    ...(i > 0 ? [''] : []),
    ...renderColumns(rows, columns, { width, palette }),
  ]);
}

function renderColumns(
  rows: readonly Row[],
  columns: readonly Column[],
  { width, palette }: Frame,
): string[] {
  const longest = Math.max(LABEL.min, ...rows.map((row) => displayWidth(labelOf(row))));
  const label = Math.min(longest, LABEL.max, Math.floor(width / 3));
  const cell = Math.floor((width - INDENT - label) / columns.length) - GAP;
  const line = (first: string, cells: readonly string[]): string =>
    (' '.repeat(INDENT) + [first, ...cells].join(' '.repeat(GAP))).trimEnd();
  const titles = columns.map(({ title }) => paint(wrap(title, cell, 1)[0] ?? '', cell, palette.strong));
  const body = rows.flatMap((row) => {
    const name = paint(
      wrap(labelOf(row), label, 1)[0] ?? '',
      label,
      palette[row.isCovered ? 'text' : 'note'],
    );
    const cells = columns.map((column) => cellLines(column.of(row), cell, palette));
    const height = Math.max(1, ...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, i) =>
      line(
        i === 0 ? name : ' '.repeat(label),
        cells.map((lines) => lines[i] ?? ' '.repeat(cell)),
      ),
    );
  });
  return [line(' '.repeat(label), titles), ...body];
}

function cellLines(pieces: readonly Piece[], width: number, palette: Palette): string[] {
  return pieces.flatMap(({ text, kind }) =>
    wrap(text, width, CELL_LINES).map((line) => paint(line, width, palette[kind])),
  );
}

/** A text in colour, with the room after it left uncoloured so that the end of a line can be trimmed. */
function paint(text: string, width: number, colour: (text: string) => string): string {
  return (text === '' ? '' : colour(text)) + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

function labelOf({ label, depth }: Row): string {
  return ' '.repeat(depth) + label;
}
