import { afterEach, describe, expect, it, vi } from 'vitest';
import { hearUnhandled } from '../../test/runtime.js';
import { E2eeError } from '../errors.js';
import { type E2eeEvent, type E2eeEventType, type Report, reporter } from './events.js';

const LOUD: Readonly<Record<E2eeEventType, boolean>> = {
  request_refused: false,
  response_refused: true,
  redacted_without_key: false,
  plaintext_accepted: true,
  plaintext_received: true,
  ciphertext_left: false,
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('reporter', () => {
  it('hands every event to the listener and keeps the console quiet', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const heard: E2eeEvent[] = [];
    const report = reporter((event) => heard.push(event));
    const events = Object.keys(LOUD).map((type) => ({ type: type as E2eeEventType, operation: 'POST /a' }));
    events.forEach(report);
    expect(heard).toEqual(events);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each(Object.entries(LOUD))('without a listener, %s on the console: %s', (type, isLoud) => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    reporter(undefined)({ type: type as E2eeEventType, operation: 'POST /a' });
    expect(warn).toHaveBeenCalledTimes(isLoud ? 1 : 0);
  });

  it('writes one line that names the type, the operation, the field, the recipient and the error', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const error = new E2eeError('encryption_failed', 'Encryption failed', { cause: new Error('below') });
    reporter(undefined)({
      type: 'response_refused',
      operation: 'POST /a',
      path: 'payee',
      recipient: 'p1',
      error,
    });
    expect(warn.mock.calls).toEqual([
      ['[e2ee] response_refused: POST /a, field payee, recipient p1, Encryption failed'],
    ]);
  });

  it('swallows what a listener throws', () => {
    const report = reporter(() => {
      throw new Error('the log is full');
    });
    expect(() => report({ type: 'response_refused' })).not.toThrow();
  });

  it('swallows what a listener rejects with, which would end the process', async () => {
    const unhandled = hearUnhandled();
    const report = reporter(async () => {
      throw new Error('the log is full');
    });
    report({ type: 'response_refused' });
    await new Promise((done) => setTimeout(done, 20));
    unhandled.stop();
    expect(unhandled.reasons).toEqual([]);
  });

  it.each([null, 'log', {}, 7])('refuses %o as a listener', (listener) => {
    expect(() => reporter(listener as unknown as Report)).toThrow(
      expect.objectContaining({ code: 'option_invalid', message: expect.stringContaining('`onEvent`') }),
    );
  });
});
