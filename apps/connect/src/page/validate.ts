import type { Field } from './bank.js';
import { inWords, isOfFormat, readFormat } from './format.js';

/** What a value of a field looks like, in words, where the description allows to tell: `8 to 11 digits`. */
export function formatOf({ regex = '' }: Pick<Field, 'regex'>): string | undefined {
  const format = readFormat(regex);
  return format && inWords(format);
}

/** What is wrong with a value, in words; nothing when it may be sent. The aggregator judges once more. */
export function problemOf(field: Field, value: string): string | undefined {
  const { label, required, type, values } = field;
  if (value === '')
    return required ? `${type === 'list' ? 'Choose' : 'Enter'} your ${lowered(label)}` : undefined;
  if (values && !values.some((choice) => choice.value === value)) return 'Choose one of the list';
  const expected = readFormat(field.regex ?? '');
  if (expected === undefined || isOfFormat(expected, value)) return undefined;
  const format = inWords(expected);
  return format === undefined
    ? `Check the ${lowered(label)}`
    : `Enter it with ${format}`.replace('with as', 'as');
}

function lowered(label: string): string {
  return label.charAt(0).toLowerCase() + label.slice(1);
}
