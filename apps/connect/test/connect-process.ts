import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const RUN = new URL('../../../scripts/run-typescript.mjs', import.meta.url).href;
const MAIN = fileURLToPath(new URL('../src/server/main.ts', import.meta.url));

/** The page's server as a process of its own, which has no part in the memory of the others. */
export interface ConnectProcess {
  readonly port: number;
  readonly pid: number;
  /** Everything that it has printed. */
  output(): string;
  close(): Promise<void>;
}

export async function startConnectProcess(page: string, aggregatorUrl: string): Promise<ConnectProcess> {
  const args = ['--import', RUN, MAIN, '--page', page, '--aggregator', aggregatorUrl];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  while (!output.includes('\n')) {
    const [chunkOrStatus] = await Promise.race([
      once(child.stdout as NodeJS.ReadableStream, 'data'),
      once(child, 'exit'),
    ]);
    if (child.exitCode !== null) throw new Error(`The server ended with ${chunkOrStatus}: ${output}`);
  }
  return {
    port: Number(new URL(output.trim()).port),
    pid: child.pid as number, // it runs
    output: () => output,
    async close() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
