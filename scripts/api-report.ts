/** Writes the public surface of every entry point of the published packages to `api/`, one file each. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiReports } from './api-report/reports.js';

const directory = join(import.meta.dirname, '../api');
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory);
for (const [file, report] of apiReports()) writeFileSync(join(directory, file), report);
