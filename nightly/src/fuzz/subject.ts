import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Asked, Told } from './findings.js';
import { CANARY } from './secrets.js';

const LOADER = new URL('../../../scripts/run-typescript.mjs', import.meta.url);
const NODE = ['--expose-gc', '--conditions=@e2ee/source', '--import', LOADER.href];
/** A machine that is very busy starts a process in less, in milliseconds. */
const START_TIMEOUT = 120_000;

/** One side of the exchange in a process of its own, so that its end and its memory are seen. */
export class Subject {
  readonly #child: ChildProcess;
  #output = '';
  /** Where a server listens; 0 for a client. */
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => {
        // Enough to find what was said over a boundary of two, and to show the last words.
        this.#output = `${this.#output.includes(CANARY) ? '' : this.#output.slice(-4_000)}${text}`;
        if (this.#output.includes(CANARY)) this.#onOutput(this.#output);
      });
  }

  #onOutput: (text: string) => void = () => {};

  /** `file` is the program, in `child/`. */
  static async start(file: string, args: readonly string[], hear: (told: Told) => void): Promise<Subject> {
    const path = fileURLToPath(new URL(`child/${file}`, import.meta.url));
    const env = { ...process.env, NODE_ENV: 'test' }; // so that Express prints no errors of its own
    const child = fork(path, [...args], { execArgv: NODE, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    let errors = '';
    child.stderr?.on('data', (text: Buffer) => {
      errors = `${errors}${text}`.slice(-4_000);
    });
    const signal = AbortSignal.timeout(START_TIMEOUT);
    try {
      const [told] = (await Promise.race([once(child, 'message', { signal }), ended(child)])) as [
        Told | undefined,
      ];
      if (told?.type !== 'ready') throw new Error(`${file} did not start: ${errors}`);
      child.on('message', hear);
      const subject = new Subject(child, told.port);
      subject.#onOutput = (text) =>
        hear({ type: 'finding', kind: 'canary in the output', detail: text.slice(-500) });
      return subject;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** How it ended, and its last words. */
  get end(): string {
    return `exit code ${this.#child.exitCode}, signal ${this.#child.signalCode}: ${this.#output.slice(-500)}`;
  }

  ask(asked: Asked): void {
    if (this.#child.connected) this.#child.send(asked, () => {});
  }

  /** The next thing of a kind that it tells; nothing when it ends before. */
  async told<Type extends Told['type']>(type: Type): Promise<Extract<Told, { type: Type }> | undefined> {
    return new Promise((resolve) => {
      const hear = (told: Told): void => {
        if (told.type === type) settle(told as Extract<Told, { type: Type }>); // just compared
      };
      const settle = (result?: Extract<Told, { type: Type }>): void => {
        this.#child.off('message', hear).off('exit', onExit);
        resolve(result);
      };
      const onExit = (): void => settle();
      this.#child.on('message', hear).on('exit', onExit);
      if (!this.isAlive) settle();
    });
  }

  async stop(): Promise<void> {
    if (!this.isAlive) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

async function ended(child: ChildProcess): Promise<[]> {
  await once(child, 'exit');
  return [];
}
