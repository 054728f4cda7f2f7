import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';
import { E2eeError, type E2eeRequest, type E2eeResponse, type E2eeServer } from '@e2ee/core';
import {
  guardResponse,
  type Located,
  locate,
  type ResponseGuard,
  receive,
  type ServerAndRecipient,
  takeRequest,
} from '@e2ee/core/adapter';
import { HttpException } from '@nestjs/common';
import type { Binding } from './handlers.js';
import type { PlatformRequest } from './options.js';
import type { Call } from './platform.js';
import { byMethod, isMentioned, type Sight } from './sight.js';

/** What handlers are given, where it was decrypted. */
export const openedRequests: WeakMap<IncomingMessage, E2eeRequest> = new WeakMap();

/** Where the policy knows a request from, and by which method. */
type Known = Located & Pick<Sight, 'method'>;

/** One request and its response, on their way through Nest. */
export class Exchange {
  #call: Call;
  readonly #end: ServerAndRecipient<PlatformRequest>;
  /** In charge of this request: that of the module, or that of the handler. */
  #server: E2eeServer;
  /** What was asked for, before middleware may have rewritten it. */
  #arrival: Sight | undefined;
  /** What the policy was asked about last, so that it is not asked twice. */
  #asked: string | undefined;
  /** Nothing for a handler that is left out, and for a path that is refused. */
  #located: Known | undefined;
  #refusal: E2eeResponse | undefined;
  /** Nothing where neither the keys are asked for nor the response is covered: most requests. */
  #request: E2eeRequest | undefined;
  #guard: ResponseGuard | undefined;

  constructor(call: Call, end: ServerAndRecipient<PlatformRequest>) {
    this.#call = call;
    this.#end = end;
    this.#server = end.server;
  }

  /** Goes on with what is known of the request by now. */
  adopt(call: Call): void {
    this.#call = call;
  }

  /** Finds out what the policy says of the operation, and keeps the response back where it says anything of that. */
  locate(): void {
    const sight = { method: this.#call.req.method ?? '', paths: this.#call.paths() };
    const asked = [sight.method, ...new Set(sight.paths)].join(' ');
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#located = undefined;
    this.#refusal = undefined;
    this.#arrival ??= sight;
    try {
      this.#located = this.#find(sight, this.#arrival);
      const { method, path, coverage } = this.#located;
      if (coverage.keys || coverage.response)
        this.#request = { ...takeRequest(this.#call.req, path, undefined), method };
      if (coverage.response) this.#guardResponse();
    } catch (error) {
      this.#refusal = this.#refusalFor(error);
    }
  }

  /** What to answer before the handlers: the keys, where the request asks for them, or a refusal. */
  async before(): Promise<E2eeResponse | undefined> {
    this.locate();
    const answer = this.#refusal ?? (this.#located?.coverage.keys ? await this.#keys() : undefined);
    if (answer) this.#guard?.release();
    return answer;
  }

  /** Goes by what holds for the handler from now on. Rejects where the request is refused, which is answered already. */
  async bind(binding: Binding): Promise<void> {
    if (binding === 'skip') {
      this.#located = undefined;
      this.#guard?.release();
      return;
    }
    if (binding) {
      this.#server = binding;
      this.#asked = undefined;
    }
    this.locate(); // middleware may have rewritten the method and the path since
    if (this.#refusal) await this.#refuse(this.#refusal);
  }

  /** Gives the handler plain values. Rejects where the request is refused, which is answered already. */
  async open(): Promise<void> {
    if (!this.#located) return;
    const { method, path, coverage } = this.#located;
    if (!coverage.request && !coverage.offer) return;
    const server = byMethod(this.#server, method, this.#call.req);
    const { answer, request } = await receive(server, this.#call.req, [path], this.#call.body());
    if (answer) return this.#refuse(answer);
    if (coverage.request) this.#call.put(request);
    this.#request = request;
    openedRequests.set(this.#call.req, request);
  }

  /**
   * As what the handlers are reached by; where the policy says nothing of that, as what else the request was known by. A
   * handler's own server end knows every path; as which operation, the policy tells.
   */
  #find(now: Sight, arrival: Sight): Known {
    const { req, isRouted } = this.#call;
    const sights = new Set(isRouted ? [arrival, now] : [now, arrival]);
    const found = Array.from(sights, ({ method, paths }) => ({
      ...locate(byMethod(this.#end.server, method, req), req, paths),
      method,
    }));
    const known = found.find(({ coverage }) => isMentioned(coverage)) ?? (found[0] as Known); // there is always the first
    if (this.#server === this.#end.server) return known;
    const { method, path } = known;
    return { ...locate(byMethod(this.#server, method, req), req, [path]), method };
  }

  #keys(): Promise<E2eeResponse | undefined> {
    const request = this.#request as E2eeRequest; // of whom the keys are asked
    return this.#server.publishedKeys(request).catch((error: unknown) => this.#refusalFor(error));
  }

  #guardResponse(): ResponseGuard {
    if (this.#guard) return this.#guard;
    const { recipient } = this.#end;
    const find = recipient && (() => recipient(this.#call.request));
    this.#guard = guardResponse(this.#call.res, {
      // A guard without a request has only a refusal to let through.
      protect: (response) => this.#server.protectResponse(this.#request as E2eeRequest, response, find),
      failure: (error) => this.#server.errorResponse(error),
    });
    this.#call.guardSend(this.#guard);
    return this.#guard;
  }

  #refusalFor(error: unknown): E2eeResponse {
    if (error instanceof E2eeError) return this.#server.errorResponse(error);
    throw error;
  }

  /** Answers, and ends the way through Nest. What exception filters write after that is dropped by the guard. */
  async #refuse(answer: E2eeResponse): Promise<never> {
    const guard = this.#guardResponse();
    if (guard.state === 'waiting') {
      guard.release();
      this.#call.answer(answer);
      await finished(this.#call.res, { cleanup: true }).catch(() => {}); // a client that is gone has gone
    }
    throw new HttpException('The request was refused, and is answered already', answer.status);
  }
}
