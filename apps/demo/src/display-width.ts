/*
 * How wide a text is in a terminal. Names and addresses come in every script; a table of them holds only when a letter
 * with its combining marks counts once and an ideograph or an emoji twice.
 */

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Unicode's East Asian Wide and Fullwidth blocks, in so far as terminals agree on them. */
const WIDE =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1B000}-\u{1B2FF}\u{20000}-\u{3FFFD}]/u;
const EMOJI = /^\p{Emoji_Presentation}|\uFE0F/u;
const INVISIBLE = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;

export function displayWidth(text: string): number {
  return graphemes(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

/** A text in lines of at most `width` columns, at most `maxLines` of them; what is left out shows as an ellipsis. */
export function wrap(text: string, width: number, maxLines: number): string[] {
  const lines: string[] = [];
  let rest = graphemes(text);
  while (rest.length > 0 && lines.length < maxLines) {
    const taken = fitting(rest, width);
    const isCut = lines.length === maxLines - 1 && taken < rest.length;
    lines.push(
      isCut ? `${rest.slice(0, fitting(rest, width - 1)).join('')}…` : rest.slice(0, taken).join(''),
    );
    rest = rest.slice(taken);
  }
  return lines;
}

/** Lines of whole words. */
export function wrapWords(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (displayWidth(line) + 1 + displayWidth(word) <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** How many graphemes fit; one at least, so that wrapping comes to an end. */
function fitting(list: readonly string[], width: number): number {
  let used = 0;
  const over = list.findIndex((grapheme) => {
    used += graphemeWidth(grapheme);
    return used > width;
  });
  return over < 0 ? list.length : Math.max(1, over);
}

function graphemes(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function graphemeWidth(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return WIDE.test(grapheme) || EMOJI.test(grapheme) ? 2 : 1;
}
