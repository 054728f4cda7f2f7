import type { TestCase, TestProject } from 'vitest/node';

/** What a test says of itself, so that it appears in the matrix. */
export interface ConformanceMeta {
  /** `Server end`, `Client end`. */
  readonly end: string;
  readonly subject: string;
  readonly group: string;
  /** In place of a case that ran: names of cases that the subject has to do without, by the reason. */
  readonly left?: Readonly<Record<string, readonly string[]>>;
  /** The fault that is known, and for which the case must fail. */
  readonly fault?: string;
}

declare module 'vitest' {
  interface TaskMeta {
    conformance?: ConformanceMeta;
  }
}

interface Cell {
  passed: number;
  failed: number;
  faults: number;
  left: number;
}

/**
 * Prints, after a run in which cases of a project have run, how many each subject has passed. Vitest's `globalSetup`, because a
 * reporter would not print where others are chosen on the command line.
 */
export default function setup(project: TestProject): () => void {
  return function printMatrix() {
    const modules = project.vitest.state.getTestModules().filter((module) => module.project === project);
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const text = matrix(tests);
    if (text) process.stdout.write(`\n${text}\n`);
  };
}

function matrix(tests: readonly TestCase[]): string {
  const ran = tests.flatMap((test) => {
    const { conformance } = test.meta();
    return conformance ? [{ ...conformance, name: test.name, state: test.result().state }] : [];
  });
  const ends = [...new Set(ran.map(({ end }) => end))];
  return ends
    .map((end) =>
      tableOf(
        end,
        ran.filter((test) => test.end === end),
      ),
    )
    .join('\n');
}

type Ran = ConformanceMeta & { readonly name: string; readonly state: string };

function tableOf(end: string, ran: readonly Ran[]): string {
  const subjects = [...new Set(ran.map(({ subject }) => subject))].sort();
  const groups = [...new Set(ran.map(({ group }) => group))];
  const cells = (test: (one: Ran) => boolean): string[] =>
    subjects.map((subject) => show(count(ran.filter((one) => one.subject === subject && test(one)))));
  const rows = [
    [`Conformance: ${end}`, ...subjects],
    ...groups.map((group) => [group, ...cells((one) => one.group === group)]),
    ['all', ...cells(() => true)],
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, ...remarks(ran)].join('\n').concat('\n');
}

function count(ran: readonly Ran[]): Cell {
  const cell: Cell = { passed: 0, failed: 0, faults: 0, left: 0 };
  for (const { left, fault, state } of ran) {
    if (left) cell.left += Object.values(left).flat().length;
    else if (state === 'skipped') continue;
    else if (state !== 'passed') cell.failed += 1;
    else if (fault) cell.faults += 1;
    else cell.passed += 1;
  }
  return cell;
}

/** `80`, or `78, 2 n/a, 1 FAULT`. */
function show({ passed, failed, faults, left }: Cell): string {
  const parts = [
    String(passed),
    left > 0 && `${left} n/a`,
    faults > 0 && `${faults} FAULT`,
    failed > 0 && `${failed} FAILED`,
  ];
  return parts.filter(Boolean).join(', ');
}

/** What lies behind the cells: each reason once, with the subjects that give it and the number of their cases. */
function remarks(ran: readonly Ran[]): string[] {
  const counts = new Map<string, Map<string, number>>();
  const add = (reason: string, subject: string, cases: number): void => {
    const bySubject = counts.get(reason) ?? new Map<string, number>();
    counts.set(reason, bySubject.set(subject, (bySubject.get(subject) ?? 0) + cases));
  };
  for (const { subject, left = {}, fault } of ran) {
    for (const [reason, names] of Object.entries(left)) add(`n/a, ${reason}`, subject, names.length);
    if (fault !== undefined) add(`FAULT, ${fault}`, subject, 1);
  }
  return [...counts].sort().map(([reason, bySubject]) => {
    const subjects = [...bySubject].sort().map(([subject, cases]) => `${subject}: ${cases}`);
    return `${reason} (${subjects.join(', ')})`;
  });
}
