import type { Failure } from './failure.js';

/** What a person is told when something goes wrong. */
export interface Message {
  readonly title: string;
  /** What happened. */
  readonly what: string;
  /** What to do now. */
  readonly next: string;
  /** What left the page: nothing, or what only the aggregator can read. */
  readonly left: 'nothing' | 'encrypted';
  /** What is offered besides trying again. */
  readonly action?: 'reload' | 'restart';
  /** Whether what was typed is still in its fields. Default: it is erased. */
  readonly isKept?: true;
}

/** Of what may have left the page. */
type AfterSending = Message & { readonly left: 'encrypted'; readonly isKept?: never };

const SESSION_ENDED: AfterSending = {
  title: 'Your session has ended',
  what: 'This page was open for a long time, or our server has started anew.',
  next: 'Load the page again to go on.',
  left: 'encrypted',
  action: 'reload',
};

const NOT_UNDERSTOOD: AfterSending = {
  title: 'Something in these details is not as the bank expects it',
  what: 'The aggregator could not pass them on to the bank.',
  next: 'Check them and try once more.',
  left: 'encrypted',
};

const CANNOT_ENCRYPT: Message = {
  title: 'Your details cannot be encrypted at the moment',
  what: 'The aggregator’s public key cannot be fetched, and without it nothing leaves this page.',
  next: 'Please try again in a minute.',
  left: 'nothing',
};

const ENCRYPTION_BROKEN: Message = {
  title: 'Your details could not be encrypted',
  what: 'So this page has not sent them.',
  next: 'Load the page again. If that does not help, please tell us.',
  left: 'nothing',
  action: 'reload',
};

/** What an answer says, by its code. It cannot say that nothing was sent: it may come from a server that lies. */
const ANSWERED: Readonly<Record<string, AfterSending>> = {
  wrongpass: {
    title: 'Your bank did not accept these details',
    what: 'It does not say which of them is wrong.',
    next: 'Check them and try once more. Several wrong attempts may make your bank lock the account.',
    left: 'encrypted',
  },
  invalidValue: NOT_UNDERSTOOD,
  missingField: NOT_UNDERSTOOD,
  unknownField: NOT_UNDERSTOOD,
  invalidEncryptionKey: {
    title: 'The aggregator has just changed its key',
    what: 'Your details were encrypted to a key that it does not use any more, so it could not read them either.',
    next: 'Please try again in half a minute; this page will have the new key by then.',
    left: 'encrypted',
  },
  aggregator_unreachable: {
    title: 'The aggregator cannot be reached',
    what: 'Our server works, but the one behind it, which signs in to your bank, does not answer.',
    next: 'Please try again in a few minutes.',
    left: 'encrypted',
  },
  aggregator_timeout: {
    title: 'The aggregator takes too long',
    what: 'It did not answer in time, so we do not know whether it has signed in to your bank.',
    next: 'Please try again in a few minutes.',
    left: 'encrypted',
  },
  unauthorized: SESSION_ENDED,
  session_expired: SESSION_ENDED,
  notFound: {
    title: 'The bank’s question is no longer open',
    what: 'The aggregator has forgotten this sign-in.',
    next: 'Choose your bank and begin again.',
    left: 'encrypted',
    action: 'restart',
  },
  tooLarge: {
    title: 'These details are too long',
    what: 'Our server passes nothing on that is as long as this.',
    next: 'Check that nothing else was pasted into a field, and try once more.',
    left: 'encrypted',
  },
  internal: {
    title: 'There is a fault behind this page',
    what: 'It is in our server or in the aggregator, not in what you typed.',
    next: 'Please try again in a few minutes. If that does not help, please tell us.',
    left: 'encrypted',
  },
};

/** What the page finds out itself before it has sent anything. The codes are its own and the library's. */
const BEFORE_SENDING: Readonly<Record<string, Message>> = {
  offline: {
    title: 'You are offline',
    what: 'Your device has no connection to the internet.',
    next: 'Send again once you are back online.',
    left: 'nothing',
    isKept: true,
  },
  keys_unavailable: CANNOT_ENCRYPT,
  key_invalid: CANNOT_ENCRYPT,
  encryption_failed: ENCRYPTION_BROKEN,
  operation_refused: ENCRYPTION_BROKEN,
  crypto_unavailable: {
    title: 'Your browser does not encrypt',
    what: 'It has switched its encryption off for this page, so this page has not sent anything.',
    next: 'Open it by its https:// address, in a browser that is up to date.',
    left: 'nothing',
  },
  field_invalid: {
    title: 'One of these details cannot be encrypted as it is',
    what: 'There is half a character in it, so this page has not sent anything.',
    next: 'Type it instead of pasting it, and try once more.',
    left: 'nothing',
  },
  limit_exceeded: {
    title: 'One of these details is too long',
    what: 'The aggregator takes no value of such a length, so this page has not sent anything.',
    next: 'Check that nothing else was pasted into a field, and try once more.',
    left: 'nothing',
  },
  insecure: {
    title: 'This page cannot protect your details here',
    what: 'It was opened by an address that is not secure, so your browser has switched its encryption off.',
    next: 'There is no form on this page, so that nothing can be sent in the clear. Open it by its https:// address.',
    left: 'nothing',
  },
};

/** What the page finds out itself later, by its own codes. */
const AFTER_SENDING: Readonly<Record<string, AfterSending>> = {
  server_unreachable: {
    title: 'Our server cannot be reached',
    what: 'Your device is online, but our server does not answer.',
    next: 'Please try again in a few minutes.',
    left: 'encrypted',
  },
  server_timeout: {
    title: 'Our server takes too long',
    what: 'It did not answer in time.',
    next: 'Please try again in a few minutes.',
    left: 'encrypted',
  },
  connection_lost: {
    title: 'The connection was lost',
    what: 'Your device went offline before there was an answer.',
    next: 'Try again once you are back online.',
    left: 'encrypted',
  },
  description_refused: {
    title: 'This page does not accept how a bank is described',
    what: 'What our server says of its fields cannot be right: what you type in them might not arrive.',
    next: 'Please try again later. If that does not help, please tell us.',
    left: 'encrypted',
  },
};

type Messages = Readonly<Record<string, Message>>;

/** By who says so, and the code. */
export const MESSAGES: { readonly answer: Readonly<Record<string, AfterSending>>; readonly page: Messages } =
  {
    answer: ANSWERED,
    page: { ...BEFORE_SENDING, ...AFTER_SENDING },
  };

const UNKNOWN: AfterSending = {
  title: 'Something went wrong',
  what: 'We do not know more about it.',
  next: 'Please try again. If that does not help, please tell us.',
  left: 'encrypted',
};

export function messageFor({ by, code }: Failure): Message {
  const messages: Messages = MESSAGES[by];
  return (Object.hasOwn(messages, code) ? messages[code] : undefined) ?? UNKNOWN;
}

const LEFT = {
  nothing: 'Nothing was sent.',
  encrypted: 'Nothing was readable on the way: your details leave this page encrypted only.',
} as const;

/** What a person wants to know after sending: where the details are now. */
export function whereabouts({ left, isKept }: Message): string {
  const typed = isKept
    ? 'What you typed is still here.'
    : 'What you typed is erased from this page, so please type it again.';
  return `${LEFT[left]} ${typed}`;
}
