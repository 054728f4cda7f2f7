import type { Field } from './bank.js';
import { button, element } from './dom.js';
import { isNumber, readFormat } from './format.js';
import { formatOf, problemOf } from './validate.js';

/** A field of the form. Its value is in its input and nowhere else. */
export interface FieldView {
  readonly field: Field;
  readonly element: HTMLElement;
  readonly input: HTMLInputElement | HTMLSelectElement;
  /** Whether a person looking at the screen may read it. */
  readonly isShown: boolean;
  /** Looks at the value and says what is wrong with it beside the field. */
  check(): boolean;
  /** Says something beside the field; nothing takes it away. */
  complain(problem: string | undefined): void;
  clear(): void;
}

export interface FieldSettings {
  readonly field: Field;
  /** A code that was sent to the person, for this once. */
  readonly isOneTime: boolean;
  /** Something about it has changed. */
  readonly onChange: () => void;
}

export function createField({ field, isOneTime, onChange }: FieldSettings): FieldView {
  const id = `field-${field.name}`;
  const format = formatOf(field);
  const hint = element('span', { class: 'hint', id: `${id}-hint` }, format ?? '');
  const problem = element('p', { class: 'problem', id: `${id}-problem`, hidden: true });
  const input = createInput(field, { id, isOneTime });
  const reveal = field.type === 'password' ? createReveal(field, input, onChange) : undefined;
  const optional = field.required ? '' : ' (optional)';
  const describedBy = format === undefined ? `${id}-problem` : `${id}-hint ${id}-problem`;
  input.setAttribute('aria-describedby', describedBy);
  const view: FieldView = {
    field,
    input,
    element: element(
      'div',
      { class: 'field' },
      element('span', { class: 'label-line' }, element('label', { for: id }, field.label + optional), hint),
      element('div', { class: 'control' }, input, ...(reveal ? [reveal] : [])),
      problem,
    ),
    get isShown() {
      return field.type !== 'password' || input.getAttribute('type') === 'text';
    },
    check() {
      const found = problemOf(field, input.value);
      view.complain(found);
      return found === undefined;
    },
    complain(text) {
      problem.textContent = text ?? '';
      problem.hidden = text === undefined;
      if (text === undefined) input.removeAttribute('aria-invalid');
      else input.setAttribute('aria-invalid', 'true');
    },
    clear() {
      input.value = '';
      if (input.getAttribute('type') === 'text' && reveal) reveal.click();
    },
  };
  input.addEventListener('input', () => {
    if (input.getAttribute('aria-invalid')) view.check();
    onChange();
  });
  return view;
}

/**
 * Nobody but the bank is to keep these values: no password manager (they would be stored under a site that is not the
 * bank's), no history of the form, no keyboard that learns, no spelling service. There is no `name`, so that even a form
 * that was submitted would carry nothing.
 */
function createInput(
  { type, values = [], required, regex = '' }: Field,
  { id, isOneTime }: { readonly id: string; readonly isOneTime: boolean },
): HTMLInputElement | HTMLSelectElement {
  if (type === 'list') {
    const choices = values.map(({ label, value }) => element('option', { value }, label));
    return element(
      'select',
      { id, required, autocomplete: 'off' },
      element('option', { value: '' }, 'Choose …'),
      ...choices,
    );
  }
  const format = readFormat(regex);
  return element('input', {
    id,
    required,
    type,
    // What a telephone offers out of a text message is for this once, and welcome.
    autocomplete: isOneTime ? 'one-time-code' : 'off',
    autocapitalize: 'none',
    autocorrect: 'off',
    spellcheck: 'false',
    inputmode: format && isNumber(format) ? 'numeric' : undefined,
    // How the common password managers are told to leave a field alone.
    'data-1p-ignore': true,
    'data-lpignore': 'true',
    'data-bwignore': true,
    'data-form-type': 'other',
  });
}

function createReveal(
  { label }: Field,
  input: HTMLInputElement | HTMLSelectElement,
  onChange: () => void,
): HTMLButtonElement {
  const verb = element('span', {}, 'Show');
  const toggle = (): void => {
    const isShown = input.getAttribute('type') === 'password';
    input.setAttribute('type', isShown ? 'text' : 'password');
    verb.textContent = isShown ? 'Hide' : 'Show';
    onChange();
  };
  const reveal = button('', toggle, { class: 'reveal' });
  reveal.append(verb, element('span', { class: 'unseen' }, ` ${label}`));
  return reveal;
}
