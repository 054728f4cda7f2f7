import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forge, HEADER } from '../../test/jwe-forge.js';
import { decryptionKeyOf, errorOf } from '../../test/keys-fixtures.js';
import { RSA } from '../../test/stored-keys.js';
import { createKeyRing } from '../keys/key-ring.js';
import { decryptJwe } from './decrypt.js';

const [pair] = RSA;
const key = await decryptionKeyOf(pair, 'own');

let connections: number;
const server = createServer((socket) => {
  connections += 1;
  socket.destroy();
});
beforeEach(async () => {
  connections = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.close();
  await once(server, 'close');
});

function portOf(): number {
  return (server.address() as AddressInfo).port; // a TCP server has no other kind of address
}

/** How often somebody had connected before we did. What was begun earlier on loopback comes in earlier. */
async function callsBeforeOurs(): Promise<number> {
  const socket = connect(portOf(), '127.0.0.1');
  await once(socket, 'close');
  expect(connections, 'the server hears of connections').toBeGreaterThan(0);
  return connections - 1;
}

describe('an address in a token, at which somebody listens', () => {
  it.each(['jku', 'x5u'])('is not called when it is its %s', async (member) => {
    const address = `http://127.0.0.1:${portOf()}/keys`;
    for (const kid of [undefined, 'own', 'unknown']) {
      const token = await forge(pair, { header: { ...HEADER, kid, [member]: address } });
      const ring = await createKeyRing({ keys: key });
      for (const keys of [key, ring])
        expect(await errorOf(decryptJwe(token, keys))).toMatchObject({ code: 'token_invalid' });
      ring.close();
    }
    expect(await callsBeforeOurs()).toBe(0);
  });

  it('is not called when it is its kid', async () => {
    const ring = await createKeyRing({ keys: key });
    const token = await forge(pair, {
      header: { ...HEADER, kid: `http://127.0.0.1:${portOf()}/keys/own` },
    });
    expect(await errorOf(decryptJwe(token, ring))).toMatchObject({ code: 'key_rejected' });
    ring.close();
    expect(await callsBeforeOurs()).toBe(0);
  });
});
