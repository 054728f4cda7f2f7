import { Command } from 'commander';
import { createConnectServer, listen } from './server.js';

interface Options {
  readonly page: string;
  readonly aggregator: string;
  readonly port: string;
}

await new Command('connect-server')
  .description(
    'Serves a built page and forwards its calls to an aggregator, on this machine, until it is stopped.',
  )
  .requiredOption('--page <directory>', 'the built page')
  .requiredOption('--aggregator <url>', 'where the aggregator listens')
  .option('--port <number>', 'port to listen on; 0 takes any free one', '0')
  .action(async ({ page, aggregator, port }: Options) => {
    const { app } = createConnectServer({ page, aggregatorUrl: aggregator });
    const { url } = await listen(app, Number(port));
    process.stdout.write(`${url}\n`);
  })
  .parseAsync();
