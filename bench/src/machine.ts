import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** Where, with what and when something was measured. */
export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  readonly node: string;
  readonly openssl: string;
  /** How busy the machine was before, in processes that want to run. Above a fifth of the cores, figures are doubtful. */
  readonly loadBefore: number;
  readonly packages: Readonly<Record<string, string>>;
}

const PACKAGES = [
  'jose',
  'node-jose',
  'jose-jwe-jws',
  'mastercard-client-encryption',
  'express',
  'koa',
  '@nestjs/core',
  'autocannon',
];

export function machine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
    loadBefore: loadavg()[0] ?? 0,
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

/** Not every package lets its package.json be imported, so it is looked for in the folders that Node would search. */
function versionOf(name: string): string {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version;
    } catch {
      // the next one
    }
  }
  return 'unknown';
}
