import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Builds the packages that are measured, unless they are as they were when they were built last. Throws when it fails. */
export function build(): void {
  const turbo = fileURLToPath(new URL('../../node_modules/.bin/turbo', import.meta.url));
  const { status } = spawnSync(turbo, ['run', 'build', '--filter=@e2ee/bench^...'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
  });
  if (status !== 0) throw new Error('The packages could not be built: run `pnpm build`');
}
