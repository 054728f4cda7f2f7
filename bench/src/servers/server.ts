import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import type { Sample } from '../measure.js';
import type { FromServer, ServerReport, ServerRole, ToServer } from './protocol.js';
import type { Scenario } from './scenarios.js';

const CONNECTIONS = 16;

/** A server in a process of its own. */
export interface RunningServer {
  /** Sends it these bodies, one after the other, on several connections, as fast as it answers. */
  load(scenario: Scenario, bodies: readonly string[], seconds: number): Promise<Sample>;
  stop(): Promise<void>;
}

export async function startServer(role: ServerRole): Promise<RunningServer> {
  const child = fork(fileURLToPath(new URL('server-process.ts', import.meta.url)));
  const ask = askingOf(child);
  const { port } = (await ask({ start: role })) as { port: number };
  return {
    load: async (scenario, bodies, seconds) => {
      await ask({ ask: 'reset' });
      const result = await autocannon({
        url: `http://127.0.0.1:${port}`,
        connections: CONNECTIONS,
        duration: seconds,
        sampleInt: 100,
        requests: bodies.map((body) => ({
          method: 'POST',
          path: scenario.path,
          headers: { 'content-type': scenario.contentType },
          body,
        })),
      });
      const { report } = (await ask({ ask: 'report' })) as { report: ServerReport };
      return sampleOf(result, report);
    },
    stop: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

function sampleOf(result: autocannon.Result, { cpu, ...report }: ServerReport): Sample {
  const answered = result['2xx'];
  if (result.non2xx > 0 || result.errors > 0 || answered === 0)
    throw new Error(`${result.non2xx} refused, ${result.errors} failed, ${answered} answered`);
  const { p50, p99 } = result.latency;
  const seconds = (result.finish.getTime() - result.start.getTime()) / 1000; // `duration` is rounded
  return { rate: answered / seconds, p50, p99, cpu: cpu / answered, ...report };
}

type Ask = (message: ToServer) => Promise<FromServer>;

/** Asks one question at a time. It rejects when the process ends instead of answering. */
function askingOf(child: ChildProcess): Ask {
  const end = new AbortController();
  child.once('exit', () => end.abort());
  return async (message) => {
    const answer = once(child, 'message', { signal: end.signal });
    child.send(message);
    const [result] = await answer;
    return result;
  };
}
