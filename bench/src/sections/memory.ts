import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Context } from '../context.js';
import { endsFor, fieldsRequest } from '../ends.js';
import { type Row, rowsOf, type Sample } from '../measure.js';
import { EARLY, GROUPS, LATE } from '../names.js';

/** What is left on the heap after many requests, once the garbage is collected. */
export async function memory({ effort, pair }: Context): Promise<Row[]> {
  setFlagsFromString('--expose_gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const { client, server } = await endsFor(await pair('RSA-2048'));
  const sent = await client.encryptRequest(fieldsRequest(1));
  let left = 0;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const seen = await server.decryptRequest({ ...sent });
      await server.protectResponse(seen, { status: 200, headers: {}, body: { f0: 'secret', id: 1 } });
    }
  };
  const after = async (requests: number): Promise<Sample> => {
    left = requests;
    await Promise.all(Array.from({ length: 16 }, work));
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    const { heapUsed, rss } = process.memoryUsage();
    return { heap: heapUsed / 1e6, rss: rss / 1e6 };
  };
  const early = await after(effort.requests / 5);
  const late = await after((effort.requests * 4) / 5);
  return [...rowsOf(GROUPS.memory, EARLY, [early]), ...rowsOf(GROUPS.memory, LATE, [late])];
}
