import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest';
import type { ConformanceMeta } from '../matrix.js';
import { ClientBench, missing } from './bench.js';
import type { ClientCase } from './case.js';
import { type ClientGroups, clientGroups } from './groups.js';
import { makeClientKeys } from './keys.js';
import { trace } from './secrecy.js';
import type { ClientSubject } from './subject.js';

const END = 'Client end';
const CONSOLE = ['log', 'info', 'debug', 'warn', 'error', 'trace'] as const;

/**
 * Registers every case as a test of a subject. `more` are cases that only this subject has, by group.
 *
 * @example
 * runClientCases({ name: 'Axios 1.21.1 http', open })
 */
export function runClientCases(subject: ClientSubject, more: ClientGroups = {}): void {
  const groups: ClientGroups = { ...clientGroups, ...more };
  const all = Object.values(groups).flat();
  let bench: ClientBench;
  let printed: () => string;

  describe(subject.name, () => {
    beforeAll(async () => {
      bench = await ClientBench.start(subject, await makeClientKeys());
      printed = listen();
    });
    afterAll(async () => {
      vi.restoreAllMocks();

      await bench.close();
    });

    describe.each(Object.entries(groups))('%s', (group, cases) => {
      for (const one of cases.filter((candidate) => missing(subject, candidate).length === 0)) {
        const fault = subject.faults?.[one.name];
        const test = fault === undefined ? it : it.fails;
        test(one.name, async ({ task }) => {
          note(task, { end: END, subject: subject.name, group, ...(fault !== undefined && { fault }) });
          const before = printed().length;
          await bench.run(one);
          expect(trace(printed().slice(before)), 'plaintext in what the process prints').toBeUndefined();
        });
      }
      const left = reasons(subject, cases);
      if (Object.keys(left).length > 0)
        it('does without the cases that it has said it would', ({ task }) => {
          note(task, { end: END, subject: subject.name, group, left });
        });
    });

    it('names no case and no feature that there is not', () => {
      const names = all.map(({ name }) => name);
      expect(names).toEqual([...new Set(names)]);
      expect(names).toEqual(expect.arrayContaining(Object.keys(subject.faults ?? {})));
      const needed = new Set(all.flatMap((one) => missing(subject, one)));
      expect([...needed]).toEqual(expect.arrayContaining(Object.keys(subject.unsupported ?? {})));
    });
  });
}

/** The cases that are left out, by what the subject says of the first feature that it does not have. */
function reasons(subject: ClientSubject, cases: readonly ClientCase[]): Record<string, string[]> {
  const left: Record<string, string[]> = {};
  for (const one of cases) {
    const [feature] = missing(subject, one);
    if (feature === undefined) continue;
    const reason = `${feature}: ${subject.unsupported?.[feature]}`;
    left[reason] = [...(left[reason] ?? []), one.name];
  }
  return left;
}

/** Keeps what the process prints to itself. */
function listen(): () => string {
  let text = '';
  const note = (...values: unknown[]): true => {
    text += values.map((value) => (value instanceof Error ? `${value.stack}` : String(value))).join(' ');
    return true;
  };
  for (const method of CONSOLE) vi.spyOn(console, method).mockImplementation(note);
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation(note);
  return () => text;
}

function note(task: TestContext['task'], conformance: ConformanceMeta): void {
  task.meta.conformance = conformance;
}
