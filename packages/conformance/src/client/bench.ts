import tls from 'node:tls';
import { inspect } from 'node:util';
import {
  banked,
  createE2eeClient,
  definePolicy,
  type E2eeClientOptions,
  type E2eeEvent,
  leakGuard,
  type Policy,
  type PolicyDocument,
} from '@e2ee/core';
import { expect } from 'vitest';
import { cert } from '../../../axios-interceptor/test/loopback-certificate.js';
import {
  type Aftermath,
  type ClientBase,
  type ClientCase,
  type ClientStep,
  Fresh,
  type Result,
  type Sending,
} from './case.js';
import { type ClientKeys, type KeySource, keySource } from './keys.js';
import { checkAftermath, checkEqual, checkResult, type Got } from './outcome.js';
import { fill, Provider } from './provider.js';
import { reachable, showings, trace } from './secrecy.js';
import type { Client, ClientFeature, ClientRequest, ClientSetup, ClientSubject, Reply } from './subject.js';

/** A client of the subject, and what is heard of it. */
interface Opened {
  readonly base: ClientBase;
  readonly client: Client;
  readonly source: KeySource;
  readonly events: E2eeEvent[];
  readonly heard: unknown[];
  readonly signed: string[];
}

/** Takes the steps of cases: each case with a new client, all with one provider. */
export class ClientBench {
  readonly #subject: ClientSubject;
  readonly #keys: ClientKeys;
  readonly #provider: Provider;

  private constructor(subject: ClientSubject, keys: ClientKeys) {
    this.#subject = subject;
    this.#keys = keys;
    this.#provider = new Provider(keys);
  }

  static async start(subject: ClientSubject, keys: ClientKeys): Promise<ClientBench> {
    const bench = new ClientBench(subject, keys);
    await bench.#provider.start();
    return bench;
  }

  close(): Promise<void> {
    return this.#provider.close();
  }

  /** Throws what an assertion throws. */
  async run({ base, steps, how, afterwards = {} }: ClientCase): Promise<void> {
    const opened = await this.#open(base);
    const all = await this.#takeAll(steps, opened, how);
    this.#checkSecrecy(all, opened, afterwards);
    for (const [i, got] of all.entries()) {
      const results = resultsOf(steps[i]);
      if (!results.some(({ sameAs }) => sameAs)) await checkResult(got, results, { keys: this.#keys });
    }
    await this.#checkAftermath(opened, afterwards);
    for (const [i, got] of all.entries()) {
      const results = resultsOf(steps[i]);
      const like = await this.#likeOf(base, steps[i]); // takes the provider for itself
      if (like) await checkResult(got, results, { keys: this.#keys, like });
    }
  }

  async #open(base: ClientBase): Promise<Opened> {
    const { provider = {}, keys = 'static', withoutKeyRing, unmatched, requireTls, limits } = base;
    const policy = compiled(base.policy);
    const profile = { ...banked, ...base.profile };
    this.#provider.reset({ profile, policy }, provider);
    const source = keySource(keys, this.#keys, this.#provider.keysUrl);
    const heard = { events: [] as E2eeEvent[], heard: [] as unknown[], signed: [] as string[] };
    const options: E2eeClientOptions = {
      profile,
      policy,
      encryptionKeys: source.keys,
      ...(!withoutKeyRing && { keyRing: this.#keys.ring }),
      ...(unmatched && { unmatched }),
      ...(requireTls !== undefined && { requireTls }),
      ...(limits && { limits }),
      onEvent: (event) => void heard.events.push(event),
      leakGuard,
    };
    const setup: ClientSetup = {
      ...base.around,
      ...(base.hears && { response: (body) => void heard.heard.push(structuredClone(body)) }),
      ...(base.signs && { sign: (text) => `signature ${heard.signed.push(text)}` }),
      baseUrl: this.#baseUrl(base.url),
      options,
      ...(base.madeBeforehand && { client: createE2eeClient(options) }),
      ...(base.url === 'by TLS' && { tls: { ca: cert, ...base.tls } }),
    };
    return { ...heard, base, source, client: await this.#subject.open(setup) };
  }

  #baseUrl(url: ClientBase['url']): string {
    if (url === undefined) return this.#provider.url;
    if (url === 'by TLS') return this.#provider.secureUrl;
    if (url === 'elsewhere') return this.#provider.elsewhere;
    return typeof url === 'string' ? url : `${this.#provider.url}${url.below}`;
  }

  async #takeAll(steps: readonly ClientStep[], opened: Opened, how?: ClientCase['how']): Promise<Got[]> {
    const { client, source, base } = opened;
    const usual = tls.DEFAULT_MIN_VERSION;
    if (base.nodeTls) tls.DEFAULT_MIN_VERSION = base.nodeTls;
    const all: Got[] = [];
    try {
      const inTurn = how === undefined ? steps.length : how === 'at once' ? 0 : 1;
      for (const step of steps.slice(0, inTurn)) all.push(await this.#take(step, client, all));
      all.push(...(await Promise.all(steps.slice(inTurn).map((step) => this.#take(step, client)))));
      // What must not have been sent has arrived by then: soon, or later where the connection is broken off at once.
      const isBrokenOff = steps.some(({ send }) => typeof send === 'object' && send.abort);
      await new Promise((done) => setTimeout(done, isBrokenOff ? 20 : 0));
      return all;
    } finally {
      tls.DEFAULT_MIN_VERSION = usual;
      await client.close();
      source.close();
    }
  }

  async #take({ send, provider }: ClientStep, client: Client, before: readonly Got[] = []): Promise<Got> {
    if (provider) this.#provider.change(provider);
    if (send === 'eject') {
      client.eject();
      return {};
    }
    if (send !== 'again') return this.#send(send, client);
    const error = before.map(({ failure, reply }) => failure ?? reply?.error).findLast(Boolean);
    if (!client.resend || !error) throw new Error('There is nothing to send again, or no way to');
    return gotFrom(client.resend(error));
  }

  /** A call whose parts are frozen, and are as they were afterwards. */
  async #send({ abort, body, ...rest }: Sending, client: Client): Promise<Got> {
    const controller = new AbortController();
    const caller: ClientRequest = {
      ...rest,
      ...(body !== undefined && { body: body instanceof Fresh ? body.make() : await fill(body, this.#keys) }),
    };
    const isPlain = !(body instanceof Fresh);
    if (isPlain) deepFreeze(caller);
    const before = inspect(caller, { depth: 20 });
    if (abort === 'before') controller.abort();
    this.#provider.at = (moment) => {
      if (moment === abort) controller.abort();
    };
    const got = await gotFrom(client.send(abort ? { ...caller, signal: controller.signal } : caller));
    if (isPlain) expect(inspect(caller, { depth: 20 }), 'what the caller has given').toBe(before);
    return got;
  }

  /** What must hold whatever a case says. */
  #checkSecrecy(all: readonly Got[], { events }: Opened, { shows = {} }: Aftermath): void {
    const { bytes, arrivals } = this.#provider;
    if (shows.onTheWire === undefined) {
      const read = arrivals.map(({ body, url }) => `${body}\n${decoded(url)}`);
      const shown = trace([bytes.toString('latin1'), ...read].join('\n'));
      expect(shown, 'plaintext in the bytes that the provider received').toBeUndefined();
    }
    const told = trace(inspect(events, { depth: 10, showHidden: true }) + JSON.stringify(events));
    expect(told, 'plaintext in events').toBeUndefined();
    if (shows.inLogs !== undefined) return;
    // What a client of Node returns holds every socket: to look at all of many calls at once would take seconds.
    for (const { reply, failure } of all.slice(0, 5)) {
      const logged = (reply ? reply.shown : [failure]).map(showings);
      expect(trace(logged.join('\n')), 'plaintext in a log of this call').toBeUndefined();
      // Without an answer, nothing that belongs to an error holds plaintext, not even behind an accessor.
      if (!reply) expect(trace(reachable(failure)), 'plaintext in an error').toBeUndefined();
    }
  }

  async #checkAftermath({ events, heard, signed }: Opened, then: Aftermath): Promise<void> {
    await checkAftermath(then, this.#provider, this.#keys);
    const told = events.map((event) => JSON.stringify(event)).sort();
    const due = (then.events ?? []).map((event) => JSON.stringify(event)).sort();
    checkEqual(told, due, 'the events');
    if (then.heard) checkEqual(heard, then.heard, 'what interceptors of responses heard');
    const sent = this.#provider.arrivals.map(({ body, headers }) => [`${body}`, headers['x-signature']]);
    if (then.signed)
      checkEqual(
        signed.map((text, i) => [text, `signature ${i + 1}`]),
        sent,
        'what was signed',
      );
  }

  /** What the call of a step gets when the provider answers as `sameAs` tells. */
  async #likeOf(base: ClientBase, step: ClientStep | undefined): Promise<Got | undefined> {
    const sameAs = resultsOf(step).find((result) => result.sameAs)?.sameAs;
    if (!step || !sameAs) return undefined;
    const { provider: _, ...again } = step;
    const [got] = await this.#takeAll(
      [again],
      await this.#open({ ...base, provider: { answers: [sameAs] } }),
    );
    return got;
  }
}

async function gotFrom(call: Promise<Reply>): Promise<Got> {
  try {
    return { reply: await call };
  } catch (failure) {
    return { failure };
  }
}

const policies = new WeakMap<PolicyDocument, Policy>();

/** Most cases share a policy. */
function compiled(document: PolicyDocument): Policy {
  const policy = policies.get(document) ?? definePolicy(document);
  policies.set(document, policy);
  return policy;
}

/** What of a case a subject says that it does not have. */
export function missing(subject: ClientSubject, { base, steps, needs = [] }: ClientCase): ClientFeature[] {
  const { around = {}, url, hears, signs, provider } = base;
  const calls = steps.map(({ send }) => send);
  const answers = [provider, ...steps.map((step) => step.provider)].flatMap((setup) => setup?.answers ?? []);
  const has = (test: (call: Sending) => unknown): boolean =>
    calls.some((call) => typeof call === 'object' && Boolean(test(call)));
  const wanted: readonly (readonly [ClientFeature, unknown])[] = [
    ['request interceptors', around.request],
    ['response interceptors', hears],
    ['transformations', around.transform ?? around.transformText],
    ['a last step', signs],
    ['a retry library', around.retries],
    ['errors that can be sent again', calls.includes('again')],
    ['params', has(({ params }) => params)],
    ['a choice of statuses', has(({ rejects }) => rejects)],
    ['read: text', has(({ read }) => read === 'text')],
    ['read: bytes', has(({ read }) => read === 'bytes')],
    ['read: stream', has(({ read }) => read === 'stream')],
    ['options of TLS', url === 'by TLS'],
    ['a base URL', typeof url === 'object'],
    ['redirections', answers.some(({ way }) => way === 'redirect')],
  ];
  const features = [...needs, ...wanted.filter(([, isWanted]) => isWanted).map(([feature]) => feature)];
  return features.filter((feature) => subject.unsupported?.[feature] !== undefined);
}

function resultsOf(step: ClientStep | undefined): readonly Result[] {
  const { expect: expected = [] } = step ?? {};
  return [expected].flat() as Result[]; // of a union with a read-only list, flat() keeps the list
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
}
