import type { Bank, Field } from './bank.js';
import { type Credentials, isOnline, type Outcome, type Sender } from './credentials.js';
import { button, element } from './dom.js';
import type { Failure } from './failure.js';
import { type CredentialsForm, createForm } from './form.js';
import type { Hops } from './hops.js';
import { messageFor, whereabouts } from './messages.js';
import { createNotice } from './notice.js';
import type { LogEntry } from './server-log.js';

export interface ConnectParts {
  /** Where the steps take place. */
  readonly step: HTMLElement;
  /** Around the hops; hidden where nothing can be sent. */
  readonly panel: HTMLElement;
  readonly announcer: HTMLElement;
  readonly hops: Hops;
  readonly sender: Sender;
  loadBanks(): Promise<readonly Bank[] | Failure>;
}

/** What the page asks for at a time. */
interface Question {
  readonly bank: Bank;
  readonly about: string;
  readonly fields: readonly Field[];
  readonly isOneTime: boolean;
  send(credentials: Credentials): Promise<Outcome>;
}

/** The way through the page: a bank, its fields, what it asks for besides, the confirmation. */
export class Connect {
  readonly #parts: ConnectParts;
  #form: CredentialsForm | undefined;
  /** What the server has logged since something was sent; nothing before that, and when something new is typed. */
  #entries: LogEntry[] | undefined;

  constructor(parts: ConnectParts) {
    this.#parts = parts;
  }

  /** Fetches the banks and lets one be chosen. */
  async begin(): Promise<void> {
    this.clear();
    this.#form = undefined; // nor is its answer waited for
    this.#show(element('p', { class: 'about', tabindex: '-1' }, 'Loading the banks …'));
    const banks = await this.#parts.loadBanks();
    if ('code' in banks) this.#show(this.#noBanks(banks));
    else this.#chooseBank(banks);
  }

  /** The server has logged a request of ours. */
  hear(entry: LogEntry): void {
    if (this.#entries === undefined) return;
    this.#entries = [...this.#entries.filter(({ id }) => id !== entry.id), entry];
    this.#parts.hops.logged(this.#entries);
  }

  /** Leaves nothing of what was typed. */
  clear(): void {
    this.#form?.clear();
    this.#compareNothing();
  }

  #chooseBank(banks: readonly Bank[]): void {
    this.#parts.panel.hidden = false;
    const choices = banks.map((bank) =>
      element(
        'li',
        {},
        button(bank.name, () => this.#askForCredentials(bank), { class: 'bank' }),
      ),
    );
    this.#show(heading('Which bank are you with?'), element('ul', { class: 'banks' }, ...choices));
  }

  #askForCredentials(bank: Bank): void {
    this.#ask({
      bank,
      about: 'Sign in with the details that you use at this bank.',
      fields: bank.fields,
      isOneTime: false,
      send: (credentials) => this.#parts.sender.connect(bank.id, credentials),
    });
  }

  #ask(question: Question): void {
    const { bank, about, fields, isOneTime } = question;
    const { hops } = this.#parts;
    const form = createForm({
      legend: isOneTime ? 'What the bank asks for besides' : 'Your details at this bank',
      fields,
      isOneTime,
      submit: isOneTime ? 'Confirm' : 'Connect',
      onChange: (views) => {
        if (this.#form !== form) return;
        if (this.#entries) this.#compareNothing();
        hops.typed(views);
      },
      onSubmit: () => void this.#send(question, form),
    });
    const before = this.#form;
    this.#form = form;
    before?.clear(); // lists can be changed while an answer is due
    this.#show(
      heading(bank.name),
      element('p', { class: 'about' }, about),
      form.element,
      button('Choose another bank', () => void this.begin()),
    );
  }

  async #send({ bank, send }: Question, form: CredentialsForm): Promise<void> {
    const { hops } = this.#parts;
    form.element.parentElement?.querySelector('.notice')?.remove();
    if (!isOnline()) return this.#fail({ by: 'page', code: 'offline' }, form);
    form.setBusy(true);
    this.#say('Encrypting and sending');
    const sent = form.filled();
    const answer = send(form.take()); // no name for the values: they are gone when this line is done
    this.#compareNothing();
    this.#entries = [];
    hops.erased(sent);
    const outcome = await answer;
    if (this.#form !== form) return; // another bank was chosen meanwhile
    form.setBusy(false);
    if (outcome.kind === 'failed') {
      hops.unconfirmed('It confirmed nothing.');
      return this.#fail(outcome.failure, form);
    }
    hops.confirmed(outcome.confirmed, bank.fields, sent);
    if (outcome.kind === 'connected') return this.#showConnected(bank);
    this.#askForMore(bank, outcome);
  }

  #compareNothing(): void {
    this.#entries = undefined;
    this.#parts.hops.reset();
  }

  #askForMore(bank: Bank, { connection, fields }: Extract<Outcome, { kind: 'incomplete' }>): void {
    this.#ask({
      bank,
      about: 'Your bank wants one more thing to be sure that it is you.',
      fields,
      isOneTime: true,
      send: (credentials) => this.#parts.sender.complete(connection, credentials),
    });
    this.#say('Your bank asks for one more thing');
  }

  #showConnected(bank: Bank): void {
    this.#show(
      heading('Connected', 'done'),
      element(
        'p',
        {},
        `The aggregator has signed in to ${bank.name}. What you typed is erased from this page; compare what each hop saw of it.`,
      ),
      button('Connect another bank', () => void this.begin(), { class: 'primary' }),
    );
    this.#say(`Connected to ${bank.name}`);
  }

  #fail(failure: Failure, form: CredentialsForm): void {
    const message = messageFor(failure);
    const notice = createNotice(message, {
      heading: 'h3',
      whereabouts: whereabouts(message),
      action: this.#actions[message.action ?? 'none']?.(),
    });
    form.element.before(notice);
    if (failure.field !== undefined) form.complain(failure.field, 'The aggregator does not accept this');
    notice.focus();
  }

  readonly #actions: Readonly<Record<'reload' | 'restart' | 'none', (() => Node) | undefined>> = {
    reload: () => button('Load the page again', () => location.reload()),
    restart: () => button('Choose a bank', () => void this.begin()),
    none: undefined,
  };

  #noBanks(failure: Failure): HTMLElement {
    const message = messageFor(failure);
    const again =
      message.action === 'reload' ? this.#actions.reload?.() : button('Try again', () => void this.begin());
    return createNotice(message, { heading: 'h2', action: again });
  }

  /** Puts a step in the place of the one before. The keyboard follows, if it was there. */
  #show(...content: readonly HTMLElement[]): void {
    const { step } = this.#parts;
    const isFollowed = step.contains(document.activeElement);
    step.replaceChildren(...content);
    if (isFollowed) content[0]?.focus();
  }

  #say(text: string): void {
    this.#parts.announcer.textContent = text;
  }
}

function heading(text: string, kind?: string): HTMLElement {
  return element('h2', { tabindex: '-1', class: kind }, text);
}
