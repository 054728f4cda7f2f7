import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { apiReports } from '../scripts/api-report/reports.js';

const directory = join(import.meta.dirname, '../api');
const WHAT_TO_DO = 'The public surface changed: run `pnpm api`, and say in a changeset what changed';

const reports = apiReports();

test('every entry point has a report, and nothing else has', () => {
  expect(readdirSync(directory).sort(), WHAT_TO_DO).toEqual([...reports.keys()].sort());
});

test.each([...reports])('%s says what is public', (file, report) => {
  expect(readFileSync(join(directory, file), 'utf8'), WHAT_TO_DO).toBe(report);
});
