import type { FaultName } from './child/faults.js';
import { requestBytes } from './draft.js';
import { type Bounds, drive, type Memory } from './drive.js';
import { goodToken, messageOf } from './message.js';
import { fingerprint, judgeAnswer, type Refusals } from './oracle.js';
import { Random } from './random.js';
import { type Input, inputOf } from './requests.js';
import { goodHeader, sealed } from './sealer.js';
import type { ProfileName } from './setup.js';
import { Subject } from './subject.js';
import { Tally } from './tally.js';
import { type Answer, send } from './wire.js';

export interface ServerRun {
  readonly adapter: string;
  readonly profile: ProfileName;
  readonly seed: number;
  readonly bounds: Bounds;
  /** Planted, to see that it is found. */
  readonly fault?: FaultName | undefined;
}

export interface Outcome {
  readonly tally: Tally;
  readonly memory: Memory;
  /** In milliseconds. */
  readonly time: number;
}

/** The kinds of inputs after which a server may wait for more. */
const MAYBE_INCOMPLETE = ['bytes', 'headers', 'several'];
/** Between two looks at the health. */
const HEALTH_INTERVAL = 50;

/** Fuzzes one adapter for servers, in a process of its own. */
export async function fuzzServer({
  adapter,
  profile,
  seed,
  bounds,
  fault = 'none' as FaultName,
}: ServerRun): Promise<Outcome> {
  const tally = new Tally();
  /** The inputs that what the subject says can be of. */
  const open = new Set<number>();
  const subject = await Subject.start('server.ts', [adapter, profile, fault], (told) => {
    if (told.type === 'finding')
      tally.find({
        kind: told.kind,
        detail: told.detail,
        input: [...open][0],
        hex: `one of the inputs ${[...open].join(', ')}`,
      });
  });
  const start = Date.now();
  try {
    const refusals = await refusalsOf(subject.port, profile);
    const memory = await drive(subject, tally, bounds, async (number) => {
      const input = inputOf(seed, `${adapter} ${profile}`, number, profile);
      open.add(number);
      const answer = await sendAll(subject.port, input);
      open.delete(number);
      tally.count(answer.status === 0 ? 'closed' : answer.status);
      const complaint = judgeAnswer(answer, input.expected, refusals, isText(input));
      // What ends without an answer while the process ends is put down to that.
      if (complaint && subject.isAlive)
        tally.find({
          ...complaint,
          detail: `${input.kind}: ${complaint.detail}`,
          input: number,
          hex: hexOf(input),
        });
      if (number % HEALTH_INTERVAL === 0) await checkHealth(subject, tally, number);
      if (!subject.isAlive)
        tally.find({ kind: 'crash', detail: subject.end, input: number, hex: hexOf(input) });
    });
    await checkHealth(subject, tally);
    return { tally, memory, time: Date.now() - start };
  } finally {
    await subject.stop();
  }
}

async function sendAll(port: number, { kind, sends }: Input): Promise<Answer> {
  let answer: Answer | undefined;
  for (const bytes of sends) answer = await send(port, bytes, !MAYBE_INCOMPLETE.includes(kind));
  return answer as Answer; // there is always one
}

/** How the subject refuses the plainest of bad tokens. */
async function refusalsOf(port: number, profile: ProfileName): Promise<Refusals> {
  const answerTo = async (flaw: (token: string) => string, kid?: string): Promise<string> => {
    const put = kid === undefined ? goodToken(profile) : unknownKey(profile, kid);
    const { body } = messageOf(
      'POST /v2/bank_accounts',
      { profile, direction: 'request' },
      (place, secret) => flaw(String(put(place, secret))),
      new Random(0),
    );
    const headers = [['content-type', 'application/json']] as const;
    return fingerprint(
      await send(
        port,
        requestBytes({ start: 'POST /v2/bank_accounts', headers, body: JSON.stringify(body) }),
      ),
    );
  };
  const last = /.$/;
  return {
    refused: await answerTo((token) => token.replace(last, (letter) => (letter === 'A' ? 'Q' : 'A'))),
    rejected: await answerTo((token) => token, 'nobody'),
  };
}

function unknownKey(profile: ProfileName, kid: string): ReturnType<typeof goodToken> {
  return (place, secret) =>
    sealed(place, JSON.stringify({ ...goodHeader(profile, place), kid }), JSON.stringify(secret));
}

async function checkHealth(subject: Subject, tally: Tally, input?: number): Promise<void> {
  if (!subject.isAlive) return;
  const { status } = await send(
    subject.port,
    requestBytes({ start: 'GET /health', headers: [], body: undefined }),
  );
  if (status !== 200 && subject.isAlive)
    tally.find({ kind: 'unhealthy', detail: `GET /health: ${status}`, input });
}

/** Whether the handler is asked to answer with a text that nobody can protect. */
function isText({ sends }: Input): boolean {
  return sends.some((bytes) => bytes.includes('x-act: text'));
}

function hexOf({ sends }: Input): string {
  return sends.map((bytes) => bytes.toString('hex')).join(' ');
}
