import type { Field } from './bank.js';

const DIGITS = /^\\d\{(\d+)(?:,(\d+))?\}$/;
const PICTURE = /\\d\{(\d+)\}/g;

/** What a value of a field looks like, in words, where the description allows to tell: `8 to 11 digits`. */
export function formatOf({ regex = '' }: Pick<Field, 'regex'>): string | undefined {
  const [, from, to] = DIGITS.exec(regex) ?? [];
  if (from !== undefined) return to === undefined ? `${from} digits` : `${from} to ${to} digits`;
  const picture = regex.replace(PICTURE, (_, count) => '0'.repeat(Number(count)));
  return picture !== regex && /^[\d/. -]+$/.test(picture) ? `as in ${picture}` : undefined;
}

/** What is wrong with a value, in words; nothing when it may be sent. The aggregator judges once more. */
export function problemOf(field: Field, value: string): string | undefined {
  const { label, required, type, values } = field;
  if (value === '')
    return required ? `${type === 'list' ? 'Choose' : 'Enter'} your ${lowered(label)}` : undefined;
  if (values && !values.some((choice) => choice.value === value)) return 'Choose one of the list';
  if (fits(field, value)) return undefined;
  const format = formatOf(field);
  return format === undefined
    ? `Check the ${lowered(label)}`
    : `Enter it with ${format}`.replace('with as', 'as');
}

function fits({ regex }: Field, value: string): boolean {
  if (regex === undefined) return true;
  try {
    return new RegExp(`^(?:${regex})$`).test(value);
  } catch {
    return true; // no expression of this language
  } finally {
    /(?:)/.test(''); // the engine remembers the text of the last match (`RegExp.input`)
  }
}

function lowered(label: string): string {
  return label.charAt(0).toLowerCase() + label.slice(1);
}
