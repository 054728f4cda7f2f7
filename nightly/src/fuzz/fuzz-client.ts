import { answerOf, operationOf } from './answers.js';
import { type Bounds, drive } from './drive.js';
import type { Outcome } from './fuzz-server.js';
import { hostileServer } from './hostile-server.js';
import { CANARY } from './secrets.js';
import type { ProfileName } from './setup.js';
import { Subject } from './subject.js';
import { Tally } from './tally.js';

export interface ClientRun {
  readonly adapter: string;
  readonly profile: ProfileName;
  readonly seed: number;
  readonly bounds: Bounds;
}

/** Longer than the client waits itself, in milliseconds. */
const LIMIT = 60_000;

/** Fuzzes one adapter for clients, in a process of its own, by the answers to its calls. */
export async function fuzzClient({ adapter, profile, seed, bounds }: ClientRun): Promise<Outcome> {
  const tally = new Tally();
  const answers = new Map<number, Buffer>();
  const calls = new Map<number, (outcome: string) => void>();
  const server = await hostileServer((number, asked) => {
    if (asked.body.includes(CANARY))
      tally.find({ kind: 'canary in a request', detail: asked.operation, input: number });
    const answer = answerOf(seed, number, asked, profile);
    answers.set(number, answer);
    return answer;
  });
  const subject = await Subject.start('client.ts', [adapter, profile, String(server.port)], (told) => {
    if (told.type === 'finding')
      tally.find({ kind: told.kind, detail: told.detail, input: [...calls.keys()][0] });
    if (told.type === 'called') calls.get(told.id)?.(told.outcome);
  });
  const start = Date.now();
  try {
    const memory = await drive(subject, tally, bounds, async (number) => {
      const outcome = await new Promise<string>((resolve) => {
        const limit = setTimeout(() => resolve('hung'), LIMIT);
        const poll = setInterval(() => !subject.isAlive && resolve('ended'), 200);
        calls.set(number, (said) => {
          clearTimeout(limit);
          clearInterval(poll);
          resolve(said);
        });
        subject.ask({ type: 'call', id: number, operation: operationOf(seed, number) });
      });
      tally.count(outcome.slice(0, 60));
      const hex = answers.get(number)?.toString('hex');
      if (outcome === 'hung')
        tally.find({ kind: 'no answer', detail: 'The call never settled', input: number, hex });
      if (!subject.isAlive) tally.find({ kind: 'crash', detail: subject.end, input: number, hex });
      calls.delete(number);
      answers.delete(number);
    });
    return { tally, memory, time: Date.now() - start };
  } finally {
    await subject.stop();
    await server.close();
  }
}
