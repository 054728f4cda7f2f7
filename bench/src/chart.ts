/** One bar. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Where most of the samples lie. */
  readonly low: number;
  readonly high: number;
  /** What a bar is: ours, a limit, or another. */
  readonly kind: 'ours' | 'limit' | 'other';
}

export interface Chart {
  readonly title: string;
  /** What is shown, in a sentence, for those who cannot see it. */
  readonly description: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LABELS = 250;
const VALUES = 110;
const ROW = 30;
const TOP = 56;
const SPAN = WIDTH - LABELS - VALUES;

const STYLE = `
  svg { font: 14px system-ui, sans-serif; background: #fff }
  text { fill: #1f2328 } .unit, .spread { fill: #59636e; stroke: #59636e } .unit { stroke: none; font-size: 12px }
  .ours { fill: #0969da } .limit { fill: #8c959f } .other { fill: #b6c2cf } .spread { stroke-width: 1.5 }
  .title { font-weight: 600; font-size: 16px }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 } text { fill: #f0f6fc } .unit { fill: #9198a1 } .spread { stroke: #d1d7e0 }
    .ours { fill: #4493f8 } .limit { fill: #656c76 } .other { fill: #3d444d }
  }`;

/** A chart of horizontal bars from zero, as an SVG document that follows the reader's light or dark theme. */
export function barChart({ title, description, unit, bars }: Chart): string {
  const height = TOP + bars.length * ROW + 12;
  const most = Math.max(...bars.map(({ high, value }) => Math.max(high, value)), Number.MIN_VALUE);
  const scale = (value: number): number => Math.round((value / most) * SPAN * 10) / 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title desc">
<title id="title">${escaped(title)}</title>
<desc id="desc">${escaped(`${description} ${bars.map(({ label, value }) => `${label}: ${figure(value)} ${unit}`).join('; ')}.`)}</desc>
<style>${STYLE}
</style>
<text class="title" x="12" y="24">${escaped(title)}</text>
<text class="unit" x="12" y="43">${escaped(unit)}; the line spans most rounds</text>
${bars.map((bar, i) => drawn(bar, TOP + i * ROW, scale)).join('\n')}
</svg>
`;
}

function drawn({ label, value, low, high, kind }: Bar, y: number, scale: (value: number) => number): string {
  const middle = y + ROW / 2 - 3;
  return [
    `<text x="${LABELS - 10}" y="${middle + 5}" text-anchor="end">${escaped(label)}</text>`,
    `<rect class="${kind}" x="${LABELS}" y="${y}" width="${scale(value)}" height="${ROW - 8}" rx="2"/>`,
    `<path class="spread" d="M${LABELS + scale(low)} ${middle}H${LABELS + scale(high)}"/>`,
    `<text x="${LABELS + scale(Math.max(value, high)) + 8}" y="${middle + 5}">${figure(value)}</text>`,
  ].join('\n');
}

/** Three digits that count, thousands apart. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toLocaleString('en-GB', { maximumFractionDigits: Math.min(digits, 3) });
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);
}
