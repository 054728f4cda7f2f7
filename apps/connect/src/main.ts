import { emitKeypressEvents } from 'node:readline';
import { Command, InvalidArgumentError } from 'commander';
import { createConnectServer, listen } from './server/server.js';
import { startStack } from './stack.js';

interface Action {
  readonly about: string;
  /** Resolves to what has happened. */
  run(): Promise<string> | string;
}

const command = new Command('connect')
  .description(
    'Runs a page in which bank credentials are typed, its server and an aggregator, on this machine, until Ctrl+C.',
  )
  .option('--port <number>', 'port of the page; 0 takes any free one', portNumber, 0)
  .action(run);

async function run({ port }: { readonly port: number }): Promise<void> {
  const stack = await startStack();
  const { app, sessions } = createConnectServer({ page: stack.page, aggregatorUrl: stack.aggregatorUrl });
  const server = await listen(app, port).catch(async (error: unknown) => {
    await stack.close();
    throw error;
  });
  const actions: Readonly<Record<string, Action>> = {
    r: {
      about: 'the aggregator revokes its key',
      run: () => stack.revokeKey().then(() => 'The key is revoked; there is another one.'),
    },
    d: {
      about: 'the aggregator goes down, or comes back',
      run: () => stack.toggleAggregator().then((isUp) => `The aggregator is ${isUp ? 'back' : 'down'}.`),
    },
    s: {
      about: 'all sessions end',
      run: () => {
        sessions.endAll();
        return 'All sessions have ended.';
      },
    },
  };
  process.stdout.write(welcome(server.url, stack.aggregatorUrl, actions));
  const stop = async (): Promise<void> => {
    listenToKeys.end();
    await Promise.all([server.close(), stack.close()]);
  };
  const listenToKeys = keys(actions, stop);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
}

/** Where there is a terminal, single keys bring trouble about. */
function keys(actions: Readonly<Record<string, Action>>, stop: () => Promise<void>): { end(): void } {
  const { stdin } = process;
  if (!stdin.isTTY) return { end: () => {} };
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.on('keypress', async (_, { name, ctrl }: { name?: string; ctrl: boolean }) => {
    if (ctrl && name === 'c') return stop();
    const said = await actions[name ?? '']?.run();
    if (said !== undefined) process.stdout.write(`${said}\n`);
  });
  return {
    end() {
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

function welcome(url: string, aggregatorUrl: string, actions: Readonly<Record<string, Action>>): string {
  const lines = Object.entries(actions).map(([key, { about }]) => `  ${key}        ${about}`);
  return `Open ${url}

The page encrypts to the aggregator at ${aggregatorUrl}; its own server at ${url} has no key.
${process.stdin.isTTY ? `\n${lines.join('\n')}\n` : ''}  Ctrl+C   stop
`;
}

function portNumber(value: string): number {
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a whole number up to 65535.');
}

command.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
