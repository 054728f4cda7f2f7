import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { endsFor } from '../ends.js';
import { FRAMEWORKS } from './frameworks.js';
import type { FromServer, ServerReport, ServerRole, ToServer } from './protocol.js';

/* A process with one server in it, which answers for how it fared. Ends when its parent lets go of it. */

const RESOLUTION = 1;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
delays.enable();
let processor = process.cpuUsage();

process.on('disconnect', () => process.exit());
process.on('message', async (message: ToServer) => {
  if ('start' in message) return tell({ port: await start(message.start) });
  if (message.ask === 'report') return tell({ report: report() });
  delays.reset();
  processor = process.cpuUsage();
  return tell({ done: true });
});

async function start({ framework, middleware, pair }: ServerRole): Promise<number> {
  const load = FRAMEWORKS[framework];
  if (!load) throw new Error(`No such framework: ${framework}`);
  const make = await load();
  const ends = await endsFor(pair);
  const server = await make({ pair, server: middleware ? ends.server : undefined });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port; // it listens on a port
}

/** The histogram has the time between two ticks of a timer: what is above its period is delay. */
function report(): ServerReport {
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
  const { user, system } = process.cpuUsage(processor);
  return {
    delay50: late(delays.percentile(50)),
    delay99: late(delays.percentile(99)),
    delayMax: late(delays.max),
    rss: process.memoryUsage().rss / 1e6,
    cpu: user + system,
  };
}

function tell(message: FromServer): void {
  process.send?.(message);
}
