import { Command, CommanderError } from 'commander';

export interface DemoOptions {
  readonly payload: readonly string[];
  readonly json: boolean;
}

/** What became of reading the command line: options to run with, or a status to end with. */
export type CommandLine = { readonly options: DemoOptions } | { readonly exitStatus: number };

const USAGE_ERROR = 2;
const NOTES = `
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
  pnpm demo --payload my-mandate.json
  pnpm demo --json | jq '.steps[].checks'
`;

/** Reads the command line, given without node and script. Help and complaints are printed here. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const command = new Command('demo')
    .description('Shows what travels between a merchant and a bank when sensitive JSON fields are encrypted.')
    .option('--payload <file>', 'JSON to send in place of a default payload; may be given again', collect)
    .option('--json', 'print one JSON document instead of tables')
    .addHelpText('after', NOTES)
    .allowExcessArguments(false)
    .exitOverride();
  try {
    // `pnpm demo -- --json` hands the `--` on.
    command.parse(argv[0] === '--' ? argv.slice(1) : argv, { from: 'user' });
    const { payload = [], json = false } = command.opts<Partial<DemoOptions>>();
    return { options: { payload, json } };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { exitStatus: error.exitCode === 0 ? 0 : USAGE_ERROR };
  }
}

function collect(file: string, files: readonly string[] = []): readonly string[] {
  return [...files, file];
}
