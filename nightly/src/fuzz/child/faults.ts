import type { FindingKind } from '../findings.js';
import { CANARY } from '../secrets.js';
import type { Handler } from './handler.js';

/** A fault that is planted in a subject, to see that it is found. */
export interface Fault {
  readonly finds: FindingKind;
  /** Stands before the handler. */
  readonly handler?: (handle: Handler) => Handler;
  /** Sees every request before the adapter; may answer by itself. */
  readonly arrive?: (url: string) => { readonly status: number; readonly text: string } | undefined;
  readonly options?: { readonly plaintext: 'accept' };
}

const kept: Buffer[] = [];

/** Every kind of fault that the oracles of a server are there for. */
export const FAULTS = {
  echo: {
    finds: 'canary in an answer',
    handler: (handle) => (call) => {
      const reply = handle(call);
      return { ...reply, body: { ...Object(reply.body), copy: `${CANARY}.copy` } };
    },
  },
  output: {
    finds: 'canary in the output',
    handler: (handle) => (call) => {
      console.log(JSON.stringify(call.body));
      return handle(call);
    },
  },
  accept: { finds: 'unproven value', options: { plaintext: 'accept' } },
  crash: {
    finds: 'crash',
    arrive: (url) => (url.includes('%') ? process.exit(1) : undefined),
  },
  reject: {
    finds: 'unhandled',
    arrive: (url) => {
      if (url.includes('%')) void Promise.reject(new Error('planted'));
      return undefined;
    },
  },
  uneven: {
    finds: 'uneven refusal',
    arrive: (url) => (/messages$/.test(url) ? { status: 400, text: 'That token was bad' } : undefined),
  },
  fail: {
    finds: 'server error',
    arrive: (url) => (url.includes('%') ? { status: 500, text: 'Sorry' } : undefined),
  },
  keep: {
    finds: 'memory',
    arrive: () => {
      kept.push(Buffer.alloc(500_000, 1));
      return undefined;
    },
  },
  pollute: {
    finds: 'prototype changed',
    handler: (handle) => (call) => {
      Reflect.set(Object.prototype, 'polluted', true);
      return handle(call);
    },
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
