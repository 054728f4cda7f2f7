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

const SESSION_ENDED: Message = {
  title: 'Your session has ended',
  what: 'This page was open for a long time, or our server has started anew.',
  next: 'Load the page again to go on.',
  left: 'encrypted',
  action: 'reload',
};

const NOT_UNDERSTOOD: Message = {
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

/** By the code of the answer, of the library's error, or of what the page found out itself. */
export const MESSAGES: Readonly<Record<string, Message>> = {
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
  keys_unavailable: CANNOT_ENCRYPT,
  key_invalid: CANNOT_ENCRYPT,
  encryption_failed: ENCRYPTION_BROKEN,
  crypto_unavailable: ENCRYPTION_BROKEN,
  operation_refused: ENCRYPTION_BROKEN,
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
  offline: {
    title: 'You are offline',
    what: 'Your device has no connection to the internet.',
    next: 'Send again once you are back online.',
    left: 'nothing',
    isKept: true,
  },
  connection_lost: {
    title: 'The connection was lost',
    what: 'Your device went offline before there was an answer.',
    next: 'Try again once you are back online.',
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
  insecure: {
    title: 'This page cannot protect your details here',
    what: 'It was opened by an address that is not secure, so your browser has switched its encryption off.',
    next: 'There is no form on this page, so that nothing can be sent in the clear. Open it by its https:// address.',
    left: 'nothing',
  },
};

const UNKNOWN: Message = {
  title: 'Something went wrong',
  what: 'We do not know more about it.',
  next: 'Please try again. If that does not help, please tell us.',
  left: 'encrypted',
};

export function messageFor(code: string): Message {
  return (Object.hasOwn(MESSAGES, code) ? MESSAGES[code] : undefined) ?? UNKNOWN;
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
