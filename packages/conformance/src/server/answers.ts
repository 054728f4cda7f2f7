import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** What a handler answers, and which way out of the framework it takes. */
export type Answer =
  /** What it saw, as JSON: the body, or `{}` where it saw none. */
  | { readonly way: 'echo'; readonly status?: number }
  /** JSON, as the framework's users send it: `res.json`, `ctx.body =`, a returned value. `later`: in some milliseconds. */
  | (Head & { readonly way: 'json'; readonly body: unknown; readonly later?: number })
  /** The same with a value that JSON does not hold as it is, of those that {@link bodyOf} makes. */
  | (Head & { readonly way: 'odd'; readonly value: OddValue })
  /** Text, the way JSON goes: `res.send(text)`. Under `content-type` in `headers`, the framework's own without. */
  | (Head & { readonly way: 'text'; readonly text: string })
  /** A `Buffer`, the way JSON goes. */
  | (Head & { readonly way: 'bytes'; readonly text: string })
  /** A Node stream, as {@link streamOf} makes it. */
  | (Head & { readonly way: 'stream'; readonly chunks: readonly string[]; readonly breaks?: boolean })
  /** A file, at the place that {@link fileOf} tells. */
  | (Head & { readonly way: 'file'; readonly text: string })
  /** `end(text)` of Node's own response, past the framework. */
  | (Head & { readonly way: 'end'; readonly text: string })
  /** `write` of each chunk and `end` of Node's own response, past the framework. */
  | (Head & { readonly way: 'write'; readonly chunks: readonly string[] })
  /** A status without a body. */
  | (Head & { readonly way: 'empty'; readonly status: number })
  | (Head & { readonly way: 'redirect'; readonly status: number; readonly location: string })
  /** An error, as {@link errorOf} makes it; `later`: after something was awaited. */
  | (Failure & { readonly way: 'throw'; readonly later?: boolean })
  /** As if there were no such route: the framework answers. */
  | { readonly way: 'not found' };

export type Way = Answer['way'];

interface Head {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is thrown. A framework with an error class of its own for a status (`HttpException`) throws that one. */
export interface Failure {
  readonly message: string;
  /** Without it the error is a plain one, which frameworks answer with 500. */
  readonly status?: number;
  /** Whatever else the error carries; the body of the answer where the framework's error class takes one. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Each value has the member `payee` with `secret` in it. */
const ODD_VALUES = {
  'an object with toJSON': (secret) => ({ toJSON: () => ({ payee: secret }) }),
  'a member with toJSON': (secret) => ({ payee: { toJSON: () => secret } }),
  'a date': (secret) => ({ payee: secret, at: new Date(0) }),
  'a map': (secret) => ({ payee: new Map([[secret, secret]]), other: secret.length }),
  'an undefined member': (secret) => ({ payee: { name: secret, iban: undefined }, gone: undefined }),
  'a class instance': (secret) => new Payment(secret),
  'a cycle': (secret) => {
    const value: Record<string, unknown> = { payee: secret };
    value.self = value;
    return value;
  },
  'a BigInt': (secret) => ({ payee: secret, amount: 1n }),
  'a getter that throws': (secret) => ({
    payee: secret,
    get amount() {
      throw new Error(secret);
    },
  }),
  'a toJSON that throws': (secret) => ({
    payee: {
      toJSON() {
        throw new Error(secret);
      },
    },
  }),
  'a value too deep': (secret) => JSON.parse(`${'{"a":'.repeat(200)}"${secret}"${'}'.repeat(200)}`),
} satisfies Readonly<Record<string, (secret: string) => unknown>>;

export type OddValue = keyof typeof ODD_VALUES;

class Payment {
  readonly payee: string;
  readonly #iban: string;

  constructor(secret: string) {
    this.payee = secret;
    this.#iban = secret;
  }

  /** On the prototype, where JSON does not look. */
  get iban(): string {
    return this.#iban;
  }
}

/** Stands in every value that must never be seen in the clear. */
export const CANARY = 'CANARY-2b7e151628aed2a6';

/** The value that a handler gives to its framework as JSON. */
export function bodyOf(answer: Extract<Answer, { way: 'json' | 'odd' }>): unknown {
  return answer.way === 'json' ? answer.body : ODD_VALUES[answer.value](CANARY);
}

/** A new stream of the chunks of an answer; one that `breaks` fails after the last. */
export function streamOf({ chunks, breaks }: Extract<Answer, { way: 'stream' }>): Readable {
  return Readable.from(
    (async function* () {
      yield* chunks;
      if (breaks) throw new Error(`The stream broke at ${CANARY}`);
    })(),
  );
}

let folder: string | undefined;

/** The path of a file that holds the text of an answer. */
export function fileOf({ text }: Extract<Answer, { way: 'file' }>): string {
  folder ??= mkdtempSync(join(tmpdir(), 'e2ee-conformance-'));
  const path = join(folder, `${Buffer.from(text).toString('hex').slice(0, 32)}.json`);
  writeFileSync(path, text);
  return path;
}

/** Removes the files that {@link fileOf} has written. */
export function removeFiles(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}

/** The error that a handler throws, for frameworks without an error class of their own. */
export function errorOf({ message, status, details }: Failure): Error {
  const own = status === undefined ? {} : { status, statusCode: status, expose: true };
  return Object.assign(new Error(message), own, details && { details });
}
