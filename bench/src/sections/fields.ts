import type { Context } from '../context.js';
import { endsFor, FIELD_PROFILES, fieldsRequest } from '../ends.js';
import { type Contestant, interleave, type Row } from '../measure.js';
import { GROUPS, LIMIT_ASYNC } from '../names.js';
import type { Peer } from '../peers.js';
import { rawUnwrapping } from '../raw.js';
import { contestant } from './tokens.js';

const OTHERS = ['jose', 'mastercard', 'node-jose'];

/** Messages of several encrypted fields: our two ends beside libraries that do token after token, and the limit. */
export async function fields(context: Context): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of context.effort.fields) {
    const [encrypters, decrypters] = await contestantsFor(context, count);
    rows.push(
      ...(await interleave(GROUPS.encryptFields(count), encrypters, context.effort.rounds)),
      ...(await interleave(GROUPS.decryptFields(count), decrypters, context.effort.rounds)),
    );
  }
  return rows;
}

async function contestantsFor(context: Context, count: number): Promise<[Contestant[], Contestant[]]> {
  const pair = await context.pair('RSA-2048');
  const load = { slice: context.effort.slice, inFlight: Math.max(8, Math.ceil(16 / count)) };
  const plain = fieldsRequest(count);
  const [encrypters, decrypters]: [Contestant[], Contestant[]] = [[], []];
  for (const { name, options } of FIELD_PROFILES) {
    const { client, server } = await endsFor(pair, options);
    const sent = await client.encryptRequest(plain);
    encrypters.push(contestant(name, () => client.encryptRequest(plain), load));
    decrypters.push(contestant(name, () => server.decryptRequest(sent), load));
  }
  const values = Object.values(plain.body as object).slice(1);
  const peers = (await context.peers('RSA-2048')).filter(({ name }) => OTHERS.includes(name));
  const tokens = await Promise.all(values.map((value) => (peers[0] as Peer).encrypt(value))); // jose's
  for (const { name, encrypt, decrypt } of peers) {
    encrypters.push(contestant(name, () => Promise.all(values.map(encrypt)), load));
    decrypters.push(contestant(name, () => Promise.all(tokens.map(decrypt)), load));
  }
  const limit = (await rawUnwrapping(pair)).find(({ name }) => name === LIMIT_ASYNC);
  if (limit) decrypters.push(contestant(LIMIT_ASYNC, () => Promise.all(tokens.map(limit.unwrap)), load));
  return [encrypters, decrypters];
}
