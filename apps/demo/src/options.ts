import { Command, CommanderError, Option } from 'commander';
import { DEMOS, type DemoName } from './demos.js';

export interface DemoOptions {
  readonly payload: readonly string[];
  readonly json: boolean;
  /** The one to run. Default: all. */
  readonly only?: DemoName | undefined;
}

/** What became of reading the command line: options to run with, or a status to end with. */
export type CommandLine = { readonly options: DemoOptions } | { readonly exitStatus: number };

const USAGE_ERROR = 2;
const NOTES = `
Demos:
${Object.entries(DEMOS)
  .map(([name, { about }]) => `  ${name.padEnd(11)}${about}`)
  .join('\n')}

A payload file holds the JSON body of one call and replaces the payload of that call. Which one is told by its members:
  payee or payer                               POST /v2/payment_sessions
  actions, source or destination               POST /v2/mandates
  account_number, sort_code, account_identifier,
  secondary_identifier or name                 POST /v2/bank_accounts
  none of these                                POST /v2/payment_sessions
or said by a wrapper: { "operation": "POST /v2/mandates", "body": { … } }

Exit status: 0 when everything shown is what should have happened, 1 when not or when a payload cannot be used, 2 for
wrong usage. NO_COLOR turns colours off, FORCE_COLOR on.

Examples:
  pnpm demo
  pnpm demo --only aggregator
  pnpm demo --payload my-mandate.json
  pnpm demo --json | jq '.steps[].checks'
`;

/** Reads the command line, given without node and script. Help and complaints are printed here. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const command = new Command('demo')
    .description('Shows what travels between a client and a server when sensitive JSON fields are encrypted.')
    .addOption(new Option('--only <demo>', 'run one of the demos').choices(Object.keys(DEMOS)))
    .option(
      '--payload <file>',
      'JSON to send to the bank in place of a default payload; may be given again',
      collect,
    )
    .option('--json', 'print one JSON document instead of tables')
    .addHelpText('after', NOTES)
    .allowExcessArguments(false)
    .exitOverride();
  try {
    // `pnpm demo -- --json` hands the `--` on.
    command.parse(argv[0] === '--' ? argv.slice(1) : argv, { from: 'user' });
    const { payload = [], json = false, only } = command.opts<Partial<DemoOptions>>();
    if (payload.length > 0 && only !== undefined && only !== 'bank')
      command.error(`error: --payload is for the bank, which --only ${only} leaves out`);
    return { options: { payload, json, only } };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { exitStatus: error.exitCode === 0 ? 0 : USAGE_ERROR };
  }
}

function collect(file: string, files: readonly string[] = []): readonly string[] {
  return [...files, file];
}
