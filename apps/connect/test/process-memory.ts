import { open, readFile } from 'node:fs/promises';

/** The memory that a process has written to, piece by piece. Linux only; the process must be a child of this one. */
export async function* memoryOf(pid: number): AsyncGenerator<Buffer> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
  const memory = await open(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of maps.split('\n')) {
      const [, from = '', to = ''] = /^([\da-f]+)-([\da-f]+) rw/.exec(line) ?? [];
      if (to === '') continue;
      const start = Number.parseInt(from, 16);
      const piece = Buffer.alloc(Number.parseInt(to, 16) - start);
      const { bytesRead } = await memory.read(piece, 0, piece.length, start).catch(() => ({ bytesRead: 0 })); // a region that has gone since, or that is not to be read
      if (bytesRead > 0) yield piece.subarray(0, bytesRead);
    }
  } finally {
    await memory.close();
  }
}
