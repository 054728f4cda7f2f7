import type { Context } from '../context.js';
import { endsFor, FIELD_PROFILES, fieldsRequest } from '../ends.js';
import { type Contestant, interleave, type Row } from '../measure.js';
import { GROUPS } from '../names.js';
import { contestant } from './tokens.js';

const FIELDS = [1, 8, 16];

/** What a request costs a server end, by kinds of key and numbers of fields: docs/performance.md has the table. */
export async function capacity(context: Context): Promise<Row[]> {
  const rows: Row[] = [];
  for (const key of context.effort.keys) {
    const contestants = await Promise.all(
      FIELDS.flatMap((count) => FIELD_PROFILES.map((profile) => serverEnd(context, key, count, profile))),
    );
    rows.push(...(await interleave(GROUPS.capacity(key), contestants, context.effort.rounds)));
  }
  return rows;
}

async function serverEnd(
  { pair, effort }: Context,
  key: string,
  count: number,
  { name, options }: (typeof FIELD_PROFILES)[number],
): Promise<Contestant> {
  const { client, server } = await endsFor(await pair(key), options);
  const sent = await client.encryptRequest(fieldsRequest(count));
  const load = { slice: effort.slice, inFlight: 8 };
  return contestant(`${name}, ${count} fields`, () => server.decryptRequest(sent), load);
}
