import type { ServerCase } from './case.js';
import { bodies } from './cases/bodies.js';
import { compression } from './cases/compression.js';
import { connections } from './cases/connections.js';
import { errors } from './cases/errors.js';
import { publication } from './cases/publication.js';
import { redaction } from './cases/redaction.js';
import { refusals } from './cases/refusals.js';
import { routes } from './cases/routes.js';
import { surroundings } from './cases/surroundings.js';
import { tls } from './cases/tls.js';
import { tokens } from './cases/tokens.js';
import { treatments } from './cases/treatments.js';
import { waysOut } from './cases/ways-out.js';
import { wholeMessages } from './cases/whole-messages.js';

/** Cases by the name of their group, which heads a row of the matrix. */
export type Groups = Readonly<Record<string, readonly ServerCase[]>>;

export const groups: Groups = {
  treatments,
  'whole messages': wholeMessages,
  redaction,
  tokens,
  refusals,
  bodies,
  'ways out': waysOut,
  errors,
  routes,
  'published keys': publication,
  connections,
  compression,
  surroundings,
  TLS: tls,
};
