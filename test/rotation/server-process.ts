import type { AddressInfo } from 'node:net';
import { banked, createKeyRing, type KeyDescription } from '@e2ee/core';
import { fileKeyStore } from '@e2ee/core/node';
import { e2ee } from '@e2ee/express';
import express from 'express';

/*
 * One of several instances of an API that share a key store: `server-process.ts <directory> <grace in seconds>`. Says its
 * port to its parent, and then does to the key ring what its parent asks.
 */

export type Command = { id: number; kid: string } & { action: 'rotate' | 'revoke' | 'describe' };
export type Report =
  | { type: 'listening'; port: number }
  | { type: 'done'; id: number; keys: readonly KeyDescription[] }
  | { type: 'failed'; id: number; why: string };

const [directory = '', grace] = process.argv.slice(2);
const keyRing = await createKeyRing({ store: fileKeyStore(directory), grace: Number(grace) });
const say = (report: Report): void => void process.send?.(report);

const app = express();
app.use(express.json());
app.use(e2ee({ profile: banked, keyRing, onEvent: () => {} }));
// `echo` is outside the policy: it shows what the handler saw.
app.post('/v2/payment_sessions', (req, res) => void res.status(201).json({ echo: req.body }));

const server = app.listen(0, '127.0.0.1', () => {
  say({ type: 'listening', port: (server.address() as AddressInfo).port }); // it listens on TCP
});
server.keepAliveTimeout = 0; // an idle connection that is closed as it is used again would look like a lost call

async function obey({ action, kid }: Command): Promise<void> {
  if (action === 'rotate') await keyRing.rotate();
  if (action === 'revoke') await keyRing.revoke(kid);
}

process.on('message', (command: Command) => {
  const { id } = command;
  obey(command).then(
    () => say({ type: 'done', id, keys: keyRing.describe() }),
    (error: unknown) => say({ type: 'failed', id, why: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
