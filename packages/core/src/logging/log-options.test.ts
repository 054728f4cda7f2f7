import { describe, expect, it } from 'vitest';
import { banked } from '../profiles/banked.js';
import { logOptions } from './log-options.js';
import { logSerializers } from './log-serializers.js';

const CANARY = 'canary-93641';
const MASK = '[REDACTED]';

/** What Pino's own method is called with, and on which logger. */
function given(...args: unknown[]): unknown[] {
  const logger = {};
  const calls: unknown[] = [];
  const { logMethod } = logOptions(banked).hooks;
  Reflect.apply(logMethod, logger, [
    args,
    function (this: unknown, ...passed: unknown[]): void {
      expect(this).toBe(logger);
      calls.push(passed);
    },
    50,
  ]);
  expect(calls).toHaveLength(1);
  return calls[0] as unknown[]; // the arguments of the only call
}

describe('the options of a logger', () => {
  const quoting = new SyntaxError(`Unexpected token in ${CANARY}`);
  const plain = new Error('out of stock');

  it('are the serializers and a hook', () => {
    const { serializers, hooks, ...others } = logOptions(banked);
    expect(Object.keys(serializers)).toEqual(Object.keys(logSerializers(banked)));
    expect([Object.keys(hooks), others]).toEqual([['logMethod'], {}]);
    expect(() => logOptions({ 'GET nowhere': {} })).toThrow(
      expect.objectContaining({ code: 'policy_invalid' }),
    );
  });

  it('give an error without a message the one that the serializer shows', () => {
    expect(given(quoting)).toEqual([quoting, MASK]);
    expect(given(quoting, undefined, 'passed over')).toEqual([quoting, MASK]);
    expect(given(plain)).toEqual([plain, 'out of stock']);
    for (const key of ['err', 'error', 'reason'])
      expect(given({ id: 1, [key]: quoting })).toEqual([{ id: 1, [key]: quoting }, MASK]);
    expect(given({ err: { message: CANARY } })).toEqual([{ err: { message: CANARY } }, MASK]);
  });

  it('leave every other call as it is', () => {
    for (const args of [
      [quoting, 'refused'],
      [{ err: quoting }, 'refused %s', 7],
      [{ err: quoting, msg: 'refused' }],
      [{ err: quoting }, null],
      ['text', quoting],
      [{ id: 1, message: 'no error' }],
      [{ err: 'timeout' }],
      [{ err: null }],
      [null],
      [undefined, 'text'],
      [],
    ])
      expect(given(...args)).toEqual(args);
  });

  it('let no message through where a getter throws', () => {
    const throwing = Object.defineProperty({}, 'err', {
      enumerable: true,
      get: () => {
        throw new Error(CANARY);
      },
    });
    expect(given(throwing)[1]).toBe(MASK);
  });
});
