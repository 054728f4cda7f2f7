import type { Observation } from '../aggregator/checks.js';
import { secretsOf } from '../aggregator/secrets.js';
import { check, sameJson } from '../checks.js';
import type { Check } from '../report.js';
import type { PageAfterwards } from './user.js';

/** Shorter ones occur in any page. */
const LEAST_LENGTH = 4;

/** What the page itself showed and kept. */
export function checkPage({ typed, passed }: Observation, page: PageAfterwards): Check[] {
  const secrets = secretsOf(typed);
  const credentials = Object.fromEntries(secrets.map(({ path, value }) => [path, value]));
  const log = String(passed.at(-1)?.request ?? '\0');
  const left = secrets.filter(({ value }) => isLeft(page.left, String(value)));
  const lengths = secrets.map(({ value }) => `${[...String(value)].length} character`);
  const isShown =
    lengths.some((length) => page.confirmed.includes(length)) || page.confirmed.includes('used');
  return [
    check(
      'the fields of the page held what was typed',
      sameJson(page.fields, credentials),
      'they held something else',
    ),
    check(
      'after sending, nothing of it is left in the page',
      left.length === 0,
      `left: ${left.map(({ path }) => path).join(', ')}`,
    ),
    check(
      'the page shows the bytes that its server logged, and the confirmation',
      page.logged.endsWith(`\n\n${log}`) && isShown,
      'it shows something else',
    ),
    check(
      'nothing on its console, nothing stopped by its policy',
      page.complaints.length === 0,
      page.complaints.join('; '),
    ),
  ];
}

/** As it is, or as a document or JSON write it. */
function isLeft(places: string, value: string): boolean {
  if (value.length < LEAST_LENGTH) return false;
  const json = JSON.stringify(value).slice(1, -1);
  return [value, json, JSON.stringify(json).slice(1, -1)].some((spelling) => places.includes(spelling));
}
