/** What may go wrong, and must not. */
export type FindingKind =
  | 'crash'
  | 'unhandled'
  | 'unhealthy'
  | 'no answer'
  | 'server error'
  | 'unexpected answer'
  | 'uneven refusal'
  | 'unproven value'
  | 'canary in an answer'
  | 'canary in a request'
  | 'canary in the output'
  | 'canary in an event or error'
  | 'prototype changed'
  | 'memory';

/** What a subject tells the process that drives it. */
export type Told =
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'finding'; readonly kind: FindingKind; readonly detail: string }
  | { readonly type: 'memory'; readonly bytes: number; readonly handled: number }
  | { readonly type: 'called'; readonly id: number; readonly outcome: string };

/** What it is told. */
export type Asked =
  | { readonly type: 'memory' }
  | { readonly type: 'call'; readonly id: number; readonly operation: string };
