import type { Context } from '../context.js';
import { type Contestant, interleave, type Rounds, type Row, rateOf, type Turn } from '../measure.js';
import { GROUPS } from '../names.js';
import { PAYEE, payloadOf } from '../payloads.js';
import type { Peer } from '../peers.js';
import { rawUnwrapping } from '../raw.js';

/** One token at a time, by every library: for numbers of tokens in flight, kinds of key, and sizes of payload. */
export async function tokens(context: Context): Promise<Row[]> {
  const rows: Row[] = [];
  for (const inFlight of context.effort.concurrency)
    rows.push(
      ...(await both(context, 'RSA-2048', { inFlight }, [
        GROUPS.encrypt(inFlight),
        GROUPS.decrypt(inFlight),
      ])),
    );
  return rows;
}

export async function keys(context: Context): Promise<Row[]> {
  const rows: Row[] = [];
  for (const key of context.effort.keys)
    rows.push(
      ...(await both(context, key, { inFlight: 16 }, [GROUPS.encryptKey(key), GROUPS.decryptKey(key)])),
    );
  return rows;
}

export async function payloads(context: Context): Promise<Row[]> {
  const rows: Row[] = [];
  for (const bytes of context.effort.payloads) {
    const names = [GROUPS.encryptPayload(bytes), GROUPS.decryptPayload(bytes)] as const;
    const isLarge = bytes >= 1_000_000; // of which one takes longer than a slice
    const rounds = isLarge ? { rounds: 3, warmUp: 1 } : context.effort.rounds;
    const load = { inFlight: isLarge ? 2 : 16, value: payloadOf(bytes), rounds };
    rows.push(...(await both(context, 'RSA-2048', load, names)));
  }
  return rows;
}

interface Work {
  readonly inFlight: number;
  readonly value?: unknown;
  readonly rounds?: Rounds;
}

/** The ones that are there to be compared with, and not much slower at this size. */
async function both(
  context: Context,
  key: string,
  { inFlight, value = PAYEE, rounds = context.effort.rounds }: Work,
  [encrypting, decrypting]: readonly [string, string],
): Promise<Row[]> {
  const { effort } = context;
  const load = { inFlight, slice: effort.slice };
  const peers = await context.peers(key);
  const pair = await context.pair(key);
  const [made, ...more] = await Promise.all(Array.from({ length: 32 }, () => madeBy(peers, value)));
  const tokens = inFlight > 2 ? [made as string, ...more] : [made as string]; // there is always the first
  const limits = (await rawUnwrapping(pair)).map(({ name, unwrap }) =>
    contestant(name, each(tokens, unwrap), load),
  );
  const encrypters = peers.map((peer) => contestant(peer.name, () => peer.encrypt(value), load));
  const decrypters = peers.map((peer) => contestant(peer.name, each(tokens, peer.decrypt), load));
  return [
    ...(await interleave(encrypting, encrypters, rounds)),
    ...(await interleave(decrypting, [...limits, ...decrypters], rounds)),
  ];
}

async function madeBy(peers: readonly Peer[], value: unknown): Promise<string> {
  const jose = peers.find(({ name }) => name === 'jose') as Peer; // it does all kinds of key
  return jose.encrypt(value);
}

export function contestant(name: string, run: () => unknown, load: Turn): Contestant {
  return { name, sample: () => rateOf(run, load) };
}

/** Does something to one token after the other. */
function each(tokens: readonly string[], act: (token: string) => unknown): () => unknown {
  let next = 0;
  return () => {
    next = (next + 1) % tokens.length;
    return act(tokens[next] as string); // below the length
  };
}
