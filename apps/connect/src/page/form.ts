import type { Field } from './bank.js';
import type { Credentials } from './credentials.js';
import { element } from './dom.js';
import { createField, type FieldView } from './field.js';

export interface FormSettings {
  readonly legend: string;
  readonly fields: readonly Field[];
  readonly submit: string;
  /** The fields ask for codes that were sent to the person. */
  readonly isOneTime: boolean;
  readonly onChange: (fields: readonly FieldView[]) => void;
  /** Every field has been looked at and may be sent. */
  readonly onSubmit: () => void;
}

/** A form for the fields that a bank describes. */
export interface CredentialsForm {
  readonly element: HTMLFormElement;
  /** The fields that have a value. */
  filled(): readonly Field[];
  /** The values, which the form has no more afterwards. Empty ones that may be left out are. */
  take(): Credentials;
  clear(): void;
  setBusy(isBusy: boolean): void;
  /** Says beside a field what somebody else found wrong with it. */
  complain(name: string, problem: string): void;
}

export function createForm(settings: FormSettings): CredentialsForm {
  const { legend, submit, fields, isOneTime, onChange, onSubmit } = settings;
  const views: readonly FieldView[] = fields.map((field) =>
    createField({ field, isOneTime, onChange: () => onChange(views) }),
  );
  const send = element('button', { type: 'submit', class: 'primary' }, submit);
  const form = element(
    'form',
    { autocomplete: 'off', novalidate: true },
    element(
      'fieldset',
      {},
      element('legend', { class: 'unseen' }, legend),
      ...views.map((view) => view.element),
    ),
    send,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (form.getAttribute('aria-busy') === 'true') return;
    const wrong = views.filter((view) => !view.check());
    if (wrong.length === 0) onSubmit();
    else wrong[0]?.input.focus();
  });
  const filled = (): readonly FieldView[] => views.filter(({ input }) => input.value !== '');
  const clear = (): void => {
    for (const view of views) view.clear();
  };
  return {
    element: form,
    filled: () => filled().map(({ field }) => field),
    take() {
      const values = Object.fromEntries(filled().map(({ field, input }) => [field.name, input.value]));
      clear();
      return values;
    },
    clear,
    setBusy(isBusy) {
      form.setAttribute('aria-busy', String(isBusy));
      send.setAttribute('aria-disabled', String(isBusy));
      send.textContent = isBusy ? 'Encrypting and sending …' : submit;
      for (const { input } of views) input.toggleAttribute('readonly', isBusy);
    },
    complain(name, problem) {
      views.find(({ field }) => field.name === name)?.complain(problem);
    },
  };
}
