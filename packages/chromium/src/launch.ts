import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LaunchOptions } from 'playwright-core';

/** A test machine is often root in a container, where Chromium's sandbox cannot start; and it must not call home. */
const ARGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * How tests launch a real Chromium: `chromium.launch(await chromiumLaunch())` of `playwright-core`.
 *
 * Linux runs the one in an npm package, with the libraries and fonts that it needs, so that there is nothing to
 * install. Elsewhere it is the machine's own Chrome. `CHROMIUM_PATH` names another one.
 */
export async function chromiumLaunch(): Promise<LaunchOptions> {
  const { CHROMIUM_PATH, LD_LIBRARY_PATH } = process.env;
  if (CHROMIUM_PATH) return { executablePath: CHROMIUM_PATH, args: ARGS };
  if (process.platform !== 'linux') return { channel: 'chrome', args: ARGS };
  if (process.arch !== 'x64')
    throw new Error(
      `There is no Chromium for Linux on ${process.arch} in the npm package: name one by CHROMIUM_PATH`,
    );
  const directory = await unpackedChromium();
  const libraries = [join(directory, 'al2023/lib'), LD_LIBRARY_PATH].filter(Boolean).join(':');
  return {
    executablePath: join(directory, 'chromium'),
    args: [...ARGS, '--headless=shell'],
    env: { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: join(directory, 'fonts') },
  };
}

/** Unpacks the package once. Renamed as a whole, so that an interrupted run leaves nothing half unpacked. */
async function unpackedChromium(): Promise<string> {
  // The same place from `src` and from `dist`.
  const modules = join(import.meta.dirname, '../node_modules');
  const { version } = JSON.parse(await readFile(join(modules, '@sparticuz/chromium/package.json'), 'utf8'));
  const cache = join(modules, '.cache');
  const directory = join(cache, `chromium-${version}-${process.arch}`);
  if (existsSync(directory)) return directory;
  await mkdir(cache, { recursive: true });
  const unpacking = await mkdtemp(`${directory}-`);
  try {
    await unpackInto(unpacking);
    await rename(unpacking, directory);
  } catch (error) {
    await rm(unpacking, { recursive: true, force: true });
    if (!existsSync(directory)) throw error; // otherwise another process was faster
  }
  return directory;
}

/** The package unpacks to the folder for temporary files, and its libraries for Lambda's Linux only, which lacks them. */
async function unpackInto(directory: string): Promise<void> {
  const code = "await (await import('@sparticuz/chromium')).default.executablePath()";
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: import.meta.dirname,
    env: { ...process.env, TMPDIR: directory, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' },
  });
}
