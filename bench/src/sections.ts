import type { Context } from './context.js';
import type { Row } from './measure.js';
import { capacity } from './sections/capacity.js';
import { client } from './sections/client.js';
import { fields } from './sections/fields.js';
import { linear } from './sections/linear.js';
import { match } from './sections/match.js';
import { memory } from './sections/memory.js';
import { message } from './sections/message.js';
import { servers, uncovered } from './sections/servers.js';
import { keys, payloads, tokens } from './sections/tokens.js';

/** All that can be measured, in this order. */
export const SECTIONS: Readonly<Record<string, (context: Context) => Promise<Row[]>>> = {
  tokens,
  message,
  fields,
  keys,
  capacity,
  payloads,
  match,
  client,
  servers,
  uncovered,
  linear,
  memory,
};
