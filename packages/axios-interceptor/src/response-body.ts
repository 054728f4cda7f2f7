import { bodyText, type E2eeResponse } from '@e2ee/core';
import type { AxiosResponse } from 'axios';

/** Whether a body is still to be read by the caller, who asked for a stream, a blob or the like. */
export function isUnread(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return false;
  return ['pipe', 'getReader', 'stream'].some((name) => typeof Reflect.get(data, name) === 'function');
}

/** A body as the client end takes it: bytes as text. */
export function readBody(data: unknown): unknown {
  return isBytes(data) ? new TextDecoder().decode(data) : data;
}

/** Puts a decrypted body in the place of the encrypted one, in the form that the caller asked for. */
export function replaceBody(response: AxiosResponse, restored: E2eeResponse): void {
  let data = sameForm(response.data, restored);
  // An accessor: it reads and writes as ever, but `inspect` of the response, or of an error that has it, shows nothing.
  Object.defineProperty(response, 'data', {
    get: () => data,
    set: (value: unknown) => {
      data = value;
    },
    enumerable: true,
    configurable: true,
  });
}

function sameForm(original: unknown, restored: E2eeResponse): unknown {
  if (typeof original === 'string') return bodyText(restored);
  if (!isBytes(original)) return restored.body;
  const bytes = new TextEncoder().encode(bodyText(restored));
  if (!(original instanceof Uint8Array)) return bytes.buffer;
  // A Buffer from Node's http adapter; its class makes another one, without naming what browsers do not have.
  return (original.constructor as Uint8ArrayConstructor).from(bytes);
}

function isBytes(data: unknown): data is ArrayBuffer | Uint8Array {
  return data instanceof ArrayBuffer || data instanceof Uint8Array;
}
