import type { Field } from './bank.js';
import type { Confirmation, Confirmations } from './credentials.js';
import { element } from './dom.js';
import type { FieldView } from './field.js';
import type { LogEntry } from './server-log.js';

/** The three views of the same values. Text only; it keeps nothing itself. */
export interface Hops {
  /** What is in the fields now. */
  typed(fields: readonly FieldView[]): void;
  /** The fields have been emptied. */
  erased(fields: readonly Field[]): void;
  /** What the page's server has logged, the last request at the end. */
  logged(entries: readonly LogEntry[]): void;
  /** What of the bank's fields it confirmed. Of those that were `sent`, the others were used only. */
  confirmed(confirmations: Confirmations, fields: readonly Field[], sent: readonly Field[]): void;
  /** Nothing was confirmed, and why. */
  unconfirmed(why: string): void;
  /** As in the beginning. */
  reset(): void;
}

const VIEWS = [
  { id: 'page', title: 'This page', about: 'what you type', empty: 'Nothing is typed yet.' },
  { id: 'server', title: 'Our server', about: 'the bytes in its log', empty: 'Nothing has arrived.' },
  { id: 'aggregator', title: 'Aggregator', about: 'what it confirms', empty: 'Nothing to confirm.' },
] as const;

type ViewId = (typeof VIEWS)[number]['id'];

export function createHops(list: HTMLElement): Hops {
  const bodies = new Map<ViewId, HTMLElement>();
  for (const { id, title, about } of VIEWS) {
    const body = element('div', { class: 'hop-body' });
    bodies.set(id, body);
    const heading = element('h3', {}, title);
    const head = element('div', { class: 'hop-head' }, heading, element('p', { class: 'about' }, about));
    list.append(element('li', { class: `hop hop-${id}`, id: `hop-${id}` }, head, body));
  }
  const show = (id: ViewId, ...content: readonly Node[]): void => bodies.get(id)?.replaceChildren(...content);
  const note = (id: ViewId, text: string): void => show(id, element('p', { class: 'empty' }, text));
  const reset = (...ids: readonly ViewId[]): void => {
    for (const view of VIEWS) if (ids.includes(view.id)) note(view.id, view.empty);
  };

  return {
    typed(fields) {
      show('page', rows(fields.map((view) => [view.field.label, typedValue(view)])));
    },
    erased(fields) {
      const gone = (): Node => element('span', { class: 'gone' }, 'erased');
      show('page', rows(fields.map(({ label }) => [label, gone()])));
    },
    logged(entries) {
      const last = entries.at(-1);
      if (last) show('server', ...loggedContent(last, entries.length));
    },
    confirmed(confirmations, fields, sent) {
      const labelOf = (name: string): string => fields.find((field) => field.name === name)?.label ?? name;
      const shown = Object.entries(confirmations).map(
        ([name, confirmation]): Row => [labelOf(name), confirmationValue(confirmation)],
      );
      const used = sent.filter(({ name }) => !Object.hasOwn(confirmations, name));
      const forgotten = used.map(
        ({ label }): Row => [label, element('span', { class: 'gone' }, 'used, not kept')],
      );
      show('aggregator', rows([...shown, ...forgotten]));
    },
    unconfirmed: (why) => note('aggregator', why),
    reset: () => reset('page', 'server', 'aggregator'),
  };
}

type Row = readonly [label: string, value: Node];

function rows(content: readonly Row[]): HTMLElement {
  return element(
    'dl',
    {},
    ...content.map(([label, value]) =>
      element('div', { class: 'row' }, element('dt', {}, label), element('dd', {}, value)),
    ),
  );
}

function typedValue({ input, isShown }: FieldView): Node {
  const { value } = input;
  if (value === '') return element('span', { class: 'gone' }, 'empty');
  const visible = isShown ? value : '•'.repeat(Math.min([...value].length, 24));
  return element('span', { class: 'plain' }, visible);
}

function confirmationValue({ length, ends_with }: Confirmation): Node {
  const characters = `${length} character${length === 1 ? '' : 's'}`;
  if (ends_with === null) return element('span', { class: 'confirmed' }, characters);
  return element(
    'span',
    { class: 'confirmed' },
    `${characters}, ends in `,
    element('q', { class: 'end' }, ends_with),
  );
}

function loggedContent({ head, body, bytes }: LogEntry, count: number): Node[] {
  const members = Object.entries(membersOf(body)).map(([name, value]): Row => [name, loggedValue(value)]);
  const repeated = 'Sent twice: the aggregator had changed its key, so this page fetched the new one.';
  return [
    rows(members),
    ...(count > 1 ? [element('p', { class: 'about' }, repeated)] : []),
    element(
      'details',
      {},
      element('summary', {}, `Whole request, ${inDigits(bytes)} bytes`),
      element('pre', { tabindex: '0' }, `${head}\n\n${body}`),
    ),
  ];
}

const TOKEN = /^eyJ[\w-]+(?:\.[\w-]*){4}$/;

function loggedValue(value: unknown): Node {
  if (typeof value !== 'string' || !TOKEN.test(value))
    return element('code', { class: 'open' }, JSON.stringify(value));
  return element(
    'span',
    { class: 'sealed' },
    element('code', {}, `${value.slice(0, 10)}…${value.slice(-6)}`),
    element('span', { class: 'size' }, ` ${inDigits(value.length)} bytes`),
  );
}

function membersOf(body: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}

function inDigits(number: number): string {
  return number.toLocaleString('en');
}
