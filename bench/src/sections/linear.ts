import type { Context } from '../context.js';
import { endsFor, fieldsRequest, listRequest, requestOf } from '../ends.js';
import { type Row, rowsOf } from '../measure.js';
import { GROUPS } from '../names.js';
import { payloadOf } from '../payloads.js';
import { exponentOf, median } from '../statistics.js';

/** Something whose time should grow as its size does. */
interface Growth {
  readonly name: string;
  readonly sizes: readonly number[];
  prepare(size: number): Promise<() => Promise<unknown>>;
}

/** The exponent of time against size, over the larger half of the sizes: 1 is linear, 2 is quadratic. */
export async function linear({ effort, pair }: Context): Promise<Row[]> {
  const { client, server } = await endsFor(await pair('RSA-2048'));
  const fields = [4, 8, 16, 32, 64];
  const bytes = [10_000, 100_000, 1_000_000, 10_000_000];
  const elements = [30, 100, 300, 1_000];
  const manyElements = [300, 1_000, 3_000, 10_000, 30_000];
  const sentOf = (request: ReturnType<typeof listRequest>) => client.encryptRequest(request);
  const growths: readonly Growth[] = [
    { name: 'encrypt fields', sizes: fields, prepare: async (n) => () => sentOf(fieldsRequest(n)) },
    {
      name: 'decrypt fields',
      sizes: fields,
      prepare: async (n) => {
        const sent = await sentOf(fieldsRequest(n));
        return () => server.decryptRequest(sent);
      },
    },
    {
      name: 'encrypt bytes',
      sizes: bytes,
      prepare: async (n) => {
        const plain = requestOf('/message', payloadOf(n));
        return () => client.encryptRequest(plain);
      },
    },
    {
      name: 'decrypt bytes',
      sizes: bytes,
      prepare: async (n) => {
        const sent = await sentOf(requestOf('/message', payloadOf(n)));
        return () => server.decryptRequest(sent);
      },
    },
    { name: 'encrypt array elements', sizes: elements, prepare: async (n) => () => sentOf(listRequest(n)) },
    {
      name: 'redact array elements',
      sizes: manyElements,
      prepare: async (n) => {
        const { body, ...request } = listRequest(n);
        return () => server.protectResponse(request, { status: 200, headers: {}, body });
      },
    },
  ];
  const repetitions = effort.name === 'full' ? 9 : 3;
  const rows: Row[] = [];
  for (const growth of growths) rows.push(...(await measured(growth, repetitions)));
  return rows;
}

async function measured({ name, sizes, prepare }: Growth, repetitions: number): Promise<Row[]> {
  const points: [number, number][] = [];
  const rows: Row[] = [];
  for (const size of sizes) {
    const run = await prepare(size);
    await run();
    const samples: { time: number }[] = [];
    for (let i = 0; i < repetitions; i += 1) {
      const start = performance.now();
      await run();
      samples.push({ time: performance.now() - start });
    }
    points.push([size, median(samples.map(({ time }) => time))]);
    rows.push(...rowsOf(GROUPS.linear, `${name}: ${size}`, samples));
  }
  const upperHalf = points.slice(Math.floor((points.length - 1) / 2));
  return [...rows, ...rowsOf(GROUPS.linear, name, [{ exponent: exponentOf(upperHalf) }])];
}
