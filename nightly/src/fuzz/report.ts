import type { Outcome } from './fuzz-server.js';

/** Longest input that is printed whole, in hexadecimal digits. */
const HEX = 20_000;

/** What became of the inputs of one subject, for people. */
export function subjectReport(name: string, { tally, memory, time }: Outcome): string {
  const rate = Math.round((1000 * tally.inputs) / time);
  const outcomes = tally.outcomes
    .filter(([outcome]) => !outcome.startsWith('!'))
    .map(([outcome, count]) => `${outcome}: ${count}`);
  const used = [memory.early, memory.late].map((bytes) => (bytes / 1e6).toFixed(1)).join(' → ');
  return [
    `${name}: ${tally.inputs} inputs, ${rate} a second, memory ${used} MB, ${tally.findings.length} findings`,
    `  ${outcomes.join(', ')}`,
    '',
  ].join('\n');
}

/** Everything that is needed to see the findings again. */
export function findingsReport(name: string, seed: number, { tally }: Outcome): string {
  const counts = new Map(tally.outcomes);
  return tally.findings
    .map(({ kind, detail, input, hex = '' }) => {
      const again = input === undefined ? '' : `--seed ${seed} --subject "${name}" --only ${input}`;
      return [
        `! ${name}: ${kind} (${counts.get(`! ${kind}`)} times)`,
        detail.slice(0, 1_000),
        again,
        hex.slice(0, HEX),
        '',
      ].join('\n');
    })
    .join('\n');
}
