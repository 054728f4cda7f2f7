import type { FindingKind } from './findings.js';

/** Something that went wrong, and how to see it again. */
export interface Finding {
  readonly kind: FindingKind;
  readonly detail: string;
  /** The number of the input, where one is to blame. */
  readonly input?: number | undefined;
  readonly hex?: string | undefined;
}

/** What became of the inputs of a subject. */
export class Tally {
  readonly #outcomes = new Map<string, number>();
  readonly #findings: Finding[] = [];
  inputs = 0;

  count(outcome: string | number): void {
    const name = String(outcome);
    this.#outcomes.set(name, (this.#outcomes.get(name) ?? 0) + 1);
  }

  /** Of findings that say the same, only the first few are kept; all are counted. */
  find(finding: Finding): void {
    this.count(`! ${finding.kind}`);
    const alike = this.#findings.filter(
      ({ kind, detail }) => kind === finding.kind && detail === finding.detail,
    );
    const ofKind = this.#findings.filter(({ kind }) => kind === finding.kind);
    if (alike.length === 0 && ofKind.length < 8) this.#findings.push(finding);
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  get outcomes(): readonly (readonly [name: string, count: number])[] {
    return [...this.#outcomes].sort(([one], [other]) => (one < other ? -1 : 1));
  }
}
