import type { ReceivedMessage } from './http-message.js';

/** How a partner wants sensitive fields answered. */
export type Choice = 'redact' | 'encrypt' | 'message';

/** How a public key was handed to the bank. */
export type KeyForm = 'PKCS#1' | 'SPKI';

export type PostOperation = 'POST /v2/payment_sessions' | 'POST /v2/bank_accounts' | 'POST /v2/mandates';
export type OperationName = PostOperation | 'GET /v2/payment_sessions/:id';

/** One thing that should have happened, judged from what was captured. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was wrong. Names places, never values. */
  readonly detail?: string;
}

/** A message as it passed between the two sockets. */
export interface WireMessage {
  readonly startLine: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON value that the bytes hold, or their text when they hold none; null without a body. */
  readonly body: unknown;
}

/** One call of the merchant, seen from all sides. */
export interface Step {
  readonly name: string;
  /** A plain call, or one that is about a change of the bank's key. */
  readonly about: 'call' | 'key change';
  readonly operation: OperationName;
  readonly choice: Choice;
  readonly partner: string;
  /** The form of the public key that the partner registered; null when it registered none. */
  readonly partnerKey: KeyForm | null;
  readonly status: number;
  readonly merchantWrote: unknown;
  readonly wireRequest: WireMessage | null;
  readonly handlerSaw: unknown;
  readonly wireResponse: WireMessage | null;
  readonly merchantGot: unknown;
  readonly checks: readonly Check[];
  /** What happened around the call, where that is the point of it. */
  readonly timeline?: readonly TimelineEntry[];
}

export interface TimelineEntry {
  readonly who: 'bank' | 'merchant';
  readonly what: string;
  readonly outcome: string;
  /** The key concerned. */
  readonly kid?: string;
}

export interface Report {
  readonly ok: boolean;
  readonly steps: readonly Step[];
}

export function wireMessage({ startLine, headers, body }: ReceivedMessage): WireMessage {
  return { startLine, headers, body: body.length === 0 ? null : jsonOrText(body.toString('utf8')) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
