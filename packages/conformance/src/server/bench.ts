import { inspect } from 'node:util';
import { banked, createE2eeServer, type E2eeEvent, leakGuard } from '@e2ee/core';
import type { Base, Outcome, Sending, ServerCase, Step } from './case.js';
import { Made } from './case.js';
import { BrokenOff, Connection, chunked, requestHead, type WireAnswer } from './connection.js';
import type { Keys } from './keys.js';
import { checkOutcome, type Happened, type Seen } from './outcome.js';
import type { Feature, Route, Running, ServerSetup, ServerSubject } from './subject.js';

const BODY_LIMIT = 4_000_000;

/** An application of the subject, and what is heard of it. */
interface Application extends Running {
  readonly base: Base;
  readonly seen: Map<string, Seen[]>;
  readonly events: E2eeEvent[];
  readonly logged: string[];
}

/** The applications of one subject: one for each base that its cases have. */
export class Bench {
  readonly #subject: ServerSubject;
  readonly #keys: Keys;
  readonly #routes = new Map<string, Route[]>();
  readonly #applications = new Map<string, Promise<Application>>();
  #calls = 0;

  constructor(subject: ServerSubject, keys: Keys, cases: readonly ServerCase[]) {
    this.#subject = subject;
    this.#keys = keys;
    for (const { base, routes = [] } of cases) {
      const all = this.#routes.get(keyOf(base)) ?? [...base.routes];
      for (const route of routes) add(route, all);
      this.#routes.set(keyOf(base), all);
    }
  }

  /** Takes the steps of a case. Throws what an assertion throws. */
  async run({ base, steps, how }: ServerCase): Promise<void> {
    const application = await this.#application(base);
    if (how === 'at once') {
      await Promise.all(steps.map((step) => this.#take(step, application)));
      return;
    }
    const shared = how === 'on one connection' ? await Connection.open(application.port) : undefined;
    try {
      let before: WireAnswer | undefined;
      for (const step of steps) before = await this.#take(step, application, before, shared);
    } finally {
      shared?.close();
    }
  }

  async close(): Promise<void> {
    const applications = await Promise.allSettled(this.#applications.values());
    await Promise.all(applications.map((started) => started.status === 'fulfilled' && started.value.close()));
  }

  async #take(
    { send, expect: expected }: Step,
    application: Application,
    before?: WireAnswer,
    shared?: Connection,
  ): Promise<WireAnswer | undefined> {
    const happened = await this.#send(send, application, before, shared);
    if (!expected) return happened.answer;
    const outcomes = [expected].flat() as readonly Outcome[]; // of a union with a read-only list, flat() keeps the list
    const reference = outcomes.find(({ sameAs }) => sameAs)?.sameAs;
    const like = reference && (await this.#send(reference, application)).answer;
    await checkOutcome(happened, outcomes, { keys: this.#keys, like });
    return happened.answer;
  }

  async #send(
    sending: Sending,
    application: Application,
    before?: WireAnswer,
    shared?: Connection,
  ): Promise<Happened> {
    this.#calls += 1;
    const call = String(this.#calls);
    const { head, body } = await this.#written(sending, call, before, shared !== undefined);
    const operations = this.#keys.operations();
    const [events, logged] = [application.events.length, application.logged.length];
    const connection = shared ?? (await Connection.open(application.port));
    let answer: WireAnswer | undefined;
    try {
      if (sending.cut) await connection.cut(sending.cut, head, body);
      else answer = await connection.exchange(head, body);
    } catch (error) {
      if (!(error instanceof BrokenOff)) throw error;
    } finally {
      if (!shared) connection.close();
    }
    await new Promise((done) => setImmediate(done)); // a handler that is called twice is called by now
    return {
      answer,
      seen: application.seen.get(call) ?? [],
      operations: this.#keys.operations() - operations,
      printed: [
        inspect(application.events.slice(events), { depth: 10, showHidden: true }),
        JSON.stringify(application.events.slice(events)),
        ...application.logged.slice(logged),
      ].join('\n'),
    };
  }

  /** The bytes of a request. */
  async #written(
    { method, target, headers = {}, body, recipient, chunked: inChunks, ...rest }: Sending,
    call: string,
    before: WireAnswer | undefined,
    isShared: boolean,
  ): Promise<{ head: string; body: Buffer }> {
    void rest;
    const filled = await fill(body, this.#keys);
    const isRaw = typeof filled === 'string' || filled instanceof Uint8Array;
    const bytes = Buffer.from(filled === undefined ? '' : isRaw ? filled : JSON.stringify(filled));
    const own: Record<string, string | null | undefined> = {
      host: 'bank.example',
      connection: isShared ? 'keep-alive' : 'close',
      'x-call': call,
      'x-recipient': recipient ?? null,
      'content-type': body === undefined ? null : 'application/json',
      ...(inChunks
        ? { 'transfer-encoding': 'chunked' }
        : { 'content-length': body === undefined ? null : String(bytes.length) }),
    };
    for (const [name, value] of Object.entries(headers))
      own[name] = typeof value === 'function' ? value(before?.headers ?? {}) : value;
    const given = Object.entries(own).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    const head = requestHead(method, target, Object.fromEntries(given));
    return { head, body: inChunks ? chunked(bytes) : bytes };
  }

  #application(base: Base): Promise<Application> {
    const started = this.#applications.get(keyOf(base)) ?? this.#start(base);
    this.#applications.set(keyOf(base), started);
    return started;
  }

  async #start(base: Base): Promise<Application> {
    const { unsupported = {} } = this.#subject;
    const all = this.#routes.get(keyOf(base)) ?? base.routes;
    const heard = { seen: new Map<string, Seen[]>(), events: [] as E2eeEvent[], logged: [] as string[] };
    const {
      policy,
      profile,
      unmatched,
      plaintext,
      limits,
      requireTls,
      withoutRecipients,
      server,
      ...arrangement
    } = base;
    const options = {
      profile: { ...banked, ...profile, policy },
      keyRing: this.#keys.ring,
      onEvent: (event: E2eeEvent) => void heard.events.push(event),
      leakGuard,
      ...(unmatched && { unmatched }),
      ...(plaintext && { plaintext }),
      ...(limits && { limits }),
      ...(requireTls !== undefined && { requireTls }),
    };
    const { recipient } = this.#keys;
    const setup: ServerSetup = {
      parser: 'before',
      ...arrangement,
      options,
      ...(!withoutRecipients && { recipient }),
      ...(server && {
        server: createE2eeServer({
          ...options,
          recipient: ({ headers }) => recipient(headers['x-recipient']),
        }),
      }),
      bodyLimit: BODY_LIMIT,
      routes: all.filter(({ answer }) => !unsupported[`answer: ${answer.way}`]),
      saw: (call, body, type) => {
        const seen = heard.seen.get(String(call)) ?? [];
        heard.seen.set(String(call), [...seen, { body: structuredClone(body), type }]);
      },
      log: (chunk) => {
        if (typeof chunk === 'string' || chunk instanceof Uint8Array) heard.logged.push(String(chunk));
        else if (chunk !== undefined && chunk !== null) heard.logged.push(inspect(chunk, { depth: 20 }));
      },
    };
    return { ...(await this.#subject.start(setup)), base, ...heard };
  }
}

/** What of a case a subject says that it does not have. */
export function missing(subject: ServerSubject, { base, routes = [], needs = [] }: ServerCase): Feature[] {
  const { parser, compression, prefix, methodOverride, logger, errorHandler, server } = base;
  const wanted: Feature[] = [
    ...needs,
    ...routes.map(({ answer }): Feature => `answer: ${answer.way}`),
    ...(parser && parser !== 'before' ? ([`parser: ${parser}`] as const) : []),
    ...(compression ? ([`compression: ${compression}`] as const) : []),
    ...(prefix ? ([`prefix: ${prefix.of}`] as const) : []),
    ...(methodOverride ? (['methodOverride'] as const) : []),
    ...(logger ? (['logger'] as const) : []),
    ...(errorHandler ? (['errorHandler'] as const) : []),
    ...(server ? (['server'] as const) : []),
  ];
  return wanted.filter((feature) => subject.unsupported?.[feature] !== undefined);
}

function keyOf(base: Base): string {
  return JSON.stringify(base);
}

function add(route: Route, routes: Route[]): void {
  const same = routes.find(({ method, path }) => method === route.method && path === route.path);
  if (!same) routes.push(route);
  else if (inspect(same, { depth: 20 }) !== inspect(route, { depth: 20 }))
    throw new Error(`Two cases give ${route.method} ${route.path} different answers`);
}

/** A body with its tokens made. */
async function fill(value: unknown, keys: Keys): Promise<unknown> {
  if (value instanceof Made) return value.make(keys);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => fill(item, keys)));
  const members = Object.entries(value).map(async ([name, item]) => [name, await fill(item, keys)] as const);
  return Object.fromEntries(await Promise.all(members));
}
