/**
 * Does what the quick start of the README says, word by word, in an empty directory: its commands, its two programs. Only
 * the packages come from tarballs packed here, and the server gets a free port.
 *
 * Fails when the two do not talk within 2 minutes, or take more than 30 lines. They talk encrypted: the server refuses what
 * came in plain, and the client would say so.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Packed, packAll } from './check-packages/pack.js';
import { ROOT } from './check-packages/public-packages.js';
import { lengthOf, readmePrograms, talk, writePrograms } from './check-packages/readme-programs.js';
import { run } from './check-packages/run.js';

const LINES = 30;
const SECONDS = 120;

/** The lines of the README's first `sh` block that installs packages, without comments. */
function commandsOf(readme: string): readonly string[] {
  const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  const block = blocks.find((text) => text.includes('npm install @e2ee/'));
  if (block === undefined) throw new Error('The README does not say what to install');
  return block
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** The words of a command, with tarballs in the place of our packages. */
function wordsOf(command: string, packed: readonly Packed[]): readonly string[] {
  return command.split(/\s+/).map((word) => packed.find(({ name }) => name === word)?.tarball ?? word);
}

/** Runs every `npm` command; the two `node` commands are to start the programs. */
async function follow(directory: string, readme: string, packed: readonly Packed[]): Promise<void> {
  const programs = readmePrograms(readme);
  await writePrograms(directory, programs);
  const started: string[] = [];
  for (const command of commandsOf(readme)) {
    const [name = '', ...args] = wordsOf(command, packed);
    if (name === 'npm') await run(name, args, { cwd: directory });
    else started.push([name, ...args].join(' '));
  }
  const expected = [`node ${programs.server.file}`, `node ${programs.client.file}`];
  if (started.join() !== expected.join()) {
    throw new Error(`The README starts ${started.join(', ')}, not ${expected.join(', ')}`);
  }
  await talk(directory, [process.execPath], programs);
}

const temporary = await mkdtemp(join(tmpdir(), 'e2ee-quickstart-'));
try {
  const readme = await readFile(process.argv[2] ?? join(ROOT, 'README.md'), 'utf8');
  const lines = lengthOf(readmePrograms(readme));
  if (lines > LINES)
    throw new Error(`The server and the client of the README have ${lines} lines, not ${LINES}`);
  const packed = await packAll(temporary);

  const from = performance.now();
  await follow(join(temporary, 'app'), readme, packed);
  const seconds = (performance.now() - from) / 1000;

  console.log(`A server and a client of ${lines} lines talked encrypted after ${seconds.toFixed(1)} s`);
  if (seconds > SECONDS) throw new Error(`That took longer than ${SECONDS} s`);
} finally {
  await rm(temporary, { recursive: true, force: true });
}
