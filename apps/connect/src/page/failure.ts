import { E2eeError } from '@e2ee/core';
import { isAxiosError } from 'axios';
import { BadDescription } from './bank.js';

/** Why a call failed: all that is kept of an error, whose other members know what was sent. */
export interface Failure {
  /** Who says so. An answer may say anything; whether something was sent only the page knows. */
  readonly by: 'page' | 'answer';
  readonly code: string;
  /** The field that is to blame, where it is one. */
  readonly field?: string;
}

/** What the page knows of a call. */
export interface Circumstances {
  readonly isOnline: boolean;
  /** Whether a request has left the page. */
  readonly isSent: boolean;
}

const TIMEOUTS = ['ECONNABORTED', 'ETIMEDOUT'];

/** What became of a call that did not go well. */
export function failureOf(error: unknown, { isOnline, isSent }: Circumstances): Failure {
  const answered = isAxiosError(error) ? error.response : undefined;
  if (answered) return failureOfAnswer(answered.status, answered.data);
  return { by: 'page', code: codeOf(error, { isOnline, isSent }) };
}

function codeOf(error: unknown, { isOnline, isSent }: Circumstances): string {
  if (error instanceof BadDescription) return 'description_refused';
  if (!isOnline) return 'connection_lost';
  if (error instanceof E2eeError) return isSent ? 'unknown' : error.code;
  if (isAxiosError(error))
    return TIMEOUTS.includes(error.code ?? '') ? 'server_timeout' : 'server_unreachable';
  return 'unknown';
}

function failureOfAnswer(status: number, data: unknown): Failure {
  const { code, field }: Readonly<Record<string, unknown>> = Object(data);
  return {
    by: 'answer',
    code: typeof code === 'string' ? code : status === 401 ? 'unauthorized' : 'unknown',
    ...(typeof field === 'string' && { field }),
  };
}
