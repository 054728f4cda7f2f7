import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest';
import type { ConformanceMeta } from '../matrix.js';
import { CANARY, removeFiles } from './answers.js';
import { Bench, missing } from './bench.js';
import type { ServerCase } from './case.js';
import { type Groups, groups as ownGroups } from './groups.js';
import { type Keys, makeKeys } from './keys.js';
import type { ServerSubject } from './subject.js';

const END = 'Server end';
const CONSOLE = ['log', 'info', 'debug', 'warn', 'error', 'trace'] as const;

/**
 * Registers every case as a test of a subject. `more` are cases that only this subject has, by group.
 *
 * @example
 * runServerCases({ name: 'Express 5', start })
 */
export function runServerCases(subject: ServerSubject, more: Groups = {}): void {
  const groups: Groups = { ...ownGroups, ...more };
  const all = Object.values(groups).flat();
  let bench: Bench;
  let printed: () => string;

  describe(subject.name, () => {
    beforeAll(async () => {
      bench = new Bench(subject, await keysOfFile(), all);
      printed = listen();
    });
    afterAll(async () => {
      vi.restoreAllMocks();
      await bench.close();
      removeFiles();
    });

    describe.each(Object.entries(groups))('%s', (group, cases) => {
      for (const one of cases.filter((candidate) => missing(subject, candidate).length === 0)) {
        const fault = subject.faults?.[one.name];
        const test = fault === undefined ? it : it.fails;
        test(one.name, async ({ task }) => {
          note(task, { end: END, subject: subject.name, group, ...(fault !== undefined && { fault }) });
          const before = printed().length;
          await bench.run(one);
          if (!isAnnounced(one))
            expect(printed().slice(before), 'what the process prints').not.toContain(CANARY);
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

let keys: Promise<Keys> | undefined;

/** Keys for all subjects of a file: making them takes longer than most cases do. */
function keysOfFile(): Promise<Keys> {
  keys ??= makeKeys();
  return keys;
}

/** The cases that are left out, by what the subject says of the first feature that it does not have. */
function reasons(subject: ServerSubject, cases: readonly ServerCase[]): Record<string, string[]> {
  const left: Record<string, string[]> = {};
  for (const one of cases) {
    const [feature] = missing(subject, one);
    if (feature === undefined) continue;
    const reason = `${feature}: ${subject.unsupported?.[feature]}`;
    left[reason] = [...(left[reason] ?? []), one.name];
  }
  return left;
}

/** Whether an error of the application itself holds plaintext, which frameworks print. */
function isAnnounced({ routes = [] }: ServerCase): boolean {
  return routes.some(
    ({ answer }) => answer.way === 'throw' || answer.way === 'odd' || answer.way === 'stream',
  );
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
