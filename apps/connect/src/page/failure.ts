import { E2eeError } from '@e2ee/core';
import { isAxiosError } from 'axios';

/** Why a call failed: all that is kept of an error, whose other members know what was sent. */
export interface Failure {
  readonly code: string;
  /** The field that is to blame, where it is one. */
  readonly field?: string;
}

const TIMEOUTS = ['ECONNABORTED', 'ETIMEDOUT'];

/** What became of a call that did not go well. */
export function failureOf(error: unknown, isOnline: boolean): Failure {
  const answered = isAxiosError(error) ? error.response : undefined;
  if (answered) return failureOfAnswer(answered.status, answered.data);
  if (!isOnline) return { code: 'connection_lost' };
  if (error instanceof E2eeError) return { code: error.code };
  if (isAxiosError(error))
    return { code: TIMEOUTS.includes(error.code ?? '') ? 'server_timeout' : 'server_unreachable' };
  return { code: 'unknown' };
}

function failureOfAnswer(status: number, data: unknown): Failure {
  const { code, field }: Readonly<Record<string, unknown>> = Object(data);
  return {
    code: typeof code === 'string' ? code : status === 401 ? 'unauthorized' : 'unknown',
    ...(typeof field === 'string' && { field }),
  };
}
