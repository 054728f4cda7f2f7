/** Somebody who types credentials, one bank after the other. */
export interface User {
  readonly place: Place;
  /** Types the values of a bank's fields, by the names of the fields, and sends them. Resolves once there is an answer. */
  signIn(bank: BankOfPage, values: Values): Promise<Seen>;
  /** Types what the bank has asked for besides. */
  complete(values: Values): Promise<Seen>;
  close(): Promise<void>;
}

export interface BankOfPage {
  readonly id: number;
  readonly name: string;
}

export type Values = Readonly<Record<string, string>>;

/** The page in a browser or, where none can be had, the page's own code in Node. */
export type Place =
  | { readonly kind: 'browser'; readonly version: string }
  | { readonly kind: 'node'; readonly why: string };

/** What the page showed of a call. Null where there is no page. */
export type Seen = PageAfterwards | null;

export interface PageAfterwards {
  /** What was in the fields before they were sent. */
  readonly fields: Values;
  /** What the page shows of its server's log: the whole request. */
  readonly logged: string;
  /** What it shows of the aggregator's confirmation. */
  readonly confirmed: string;
  /** Its document, fields, storage, cookies, address and history after sending. */
  readonly left: string;
  /** Messages on the console, errors, and what its policy has stopped. */
  readonly complaints: readonly string[];
}
