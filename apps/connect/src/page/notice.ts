import { element } from './dom.js';
import type { Message } from './messages.js';

export interface NoticeSettings {
  /** It stands alone, or below the heading of a step. */
  readonly heading: 'h2' | 'h3';
  /** Where the details are now. */
  readonly whereabouts?: string;
  readonly action?: Node | undefined;
}

/** Says that something went wrong, and is read aloud as soon as it is in the page. */
export function createNotice(
  { title, what, next }: Message,
  { heading, whereabouts, action }: NoticeSettings,
): HTMLElement {
  return element(
    'div',
    { class: 'notice', role: 'alert', tabindex: '-1' },
    element(heading, {}, title),
    element('p', {}, what),
    ...(whereabouts === undefined ? [] : [element('p', { class: 'whereabouts' }, whereabouts)]),
    element('p', {}, next),
    ...(action ? [element('p', { class: 'actions' }, action)] : []),
  );
}
