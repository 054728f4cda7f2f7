import { createServer, type IncomingMessage, type Server } from 'node:http';
import { LIMIT_ASYNC } from '../../names.js';
import { openedContent, rawUnwrapping } from '../../raw.js';
import { ANSWER } from '../scenarios.js';
import type { Setting } from './setting.js';

/** The least that a server can do: Node's own, WebCrypto for the private key, `node:crypto` for the content. */
export async function bareApp({ pair }: Setting): Promise<Server> {
  const unwrapping = (await rawUnwrapping(pair)).find(({ name }) => name === LIMIT_ASYNC);
  const open = async (token: string): Promise<unknown> => {
    const cek = await unwrapping?.unwrap(token);
    return JSON.parse(openedContent(new Uint8Array(cek as ArrayBuffer), token)); // WebCrypto's result
  };
  return createServer(async (req, res) => {
    const body = await textOf(req);
    if (req.headers['content-type'] === 'application/jose') await open(body);
    else {
      const values = Object.entries(JSON.parse(body) as object);
      await Promise.all(
        values.filter(([name]) => name.startsWith('encrypted_')).map(([, token]) => open(token)),
      );
    }
    const answer = JSON.stringify(ANSWER);
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
  });
}

async function textOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
