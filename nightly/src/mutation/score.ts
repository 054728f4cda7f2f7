import { readFile } from 'node:fs/promises';

/** How many mutants came to which end. */
export interface Score {
  readonly killed: number;
  readonly timeout: number;
  readonly survived: number;
  readonly noCoverage: number;
}

/** The part of a report that is read here: https://stryker-mutator.io/docs/mutation-testing-elements. */
interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly { readonly status: string }[] }>>;
}

export async function readScore(path: string): Promise<Score> {
  const { files }: Report = JSON.parse(await readFile(path, 'utf8'));
  const statuses = Object.values(files).flatMap(({ mutants }) => mutants.map(({ status }) => status));
  const count = (status: string): number => statuses.filter((one) => one === status).length;
  return {
    killed: count('Killed'),
    timeout: count('Timeout'),
    survived: count('Survived'),
    noCoverage: count('NoCoverage'),
  };
}

export function sum(scores: readonly Score[]): Score {
  const total = (member: keyof Score): number => scores.reduce((all, score) => all + score[member], 0);
  return {
    killed: total('killed'),
    timeout: total('timeout'),
    survived: total('survived'),
    noCoverage: total('noCoverage'),
  };
}

/** Of all mutants, how many of a hundred were noticed. */
export function percentage({ killed, timeout, survived, noCoverage }: Score): number {
  const noticed = killed + timeout;
  return (100 * noticed) / (noticed + survived + noCoverage);
}
