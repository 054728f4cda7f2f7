import type { ClientCase } from './case.js';
import { answers } from './cases/answers.js';
import { bodies } from './cases/bodies.js';
import { connections, redirections } from './cases/connections.js';
import { failures } from './cases/failures.js';
import { keys } from './cases/keys.js';
import { paths } from './cases/paths.js';
import { refusals } from './cases/refusals.js';
import { retries } from './cases/retries.js';
import { surroundings } from './cases/surroundings.js';
import { tls } from './cases/tls.js';
import { tokens } from './cases/tokens.js';
import { treatments } from './cases/treatments.js';
import { wholeMessages } from './cases/whole-messages.js';

/** Cases by the name of their group, which heads a row of the matrix. */
export type ClientGroups = Readonly<Record<string, readonly ClientCase[]>>;

export const clientGroups: ClientGroups = {
  treatments,
  'whole messages': wholeMessages,
  answers,
  tokens,
  refusals,
  keys,
  bodies,
  retries,
  surroundings,
  redirections,
  connections,
  paths,
  failures,
  TLS: tls,
};
