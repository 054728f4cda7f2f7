import { randomBytes } from 'node:crypto';
import type { Context } from '../context.js';
import { endsFor, requestOf } from '../ends.js';
import { interleave, type Row } from '../measure.js';
import { FLOOR, GROUPS, OURS } from '../names.js';
import { payloadOf } from '../payloads.js';
import { openedContent, sealed } from '../raw.js';
import { contestant } from './tokens.js';

/** A whole message of 1 MB, beside what nobody can do without. One at a time: what counts is how long one takes. */
export async function message({ effort, pair }: Context): Promise<Row[]> {
  const { client, server } = await endsFor(await pair('RSA-2048'));
  const plain = requestOf('/message', payloadOf(1_000_000));
  const sent = await client.encryptRequest(plain);
  const cek = randomBytes(32);
  const token = ['eyJ', '', ...sealed(cek, Buffer.from('eyJ'), JSON.stringify(plain.body))].join('.');
  const load = { inFlight: 1, slice: effort.slice };
  const encrypters = [
    contestant(OURS, () => client.encryptRequest(plain), load),
    contestant(FLOOR, () => sealed(cek, Buffer.from('eyJ'), JSON.stringify(plain.body)).join('.'), load),
  ];
  const decrypters = [
    contestant(OURS, () => server.decryptRequest(sent), load),
    contestant(FLOOR, () => JSON.parse(openedContent(cek, token)), load),
  ];
  const rounds = { ...effort.rounds, rounds: effort.rounds.rounds + 2 };
  return [
    ...(await interleave(GROUPS.encryptMessage, encrypters, rounds)),
    ...(await interleave(GROUPS.decryptMessage, decrypters, rounds)),
  ];
}
