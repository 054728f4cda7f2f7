import { banked, createE2eeClient, createKeyRing, remoteJwks } from '@e2ee/core';
import { fileKeyStore } from '@e2ee/core/node';

/*
 * Opens a key ring, uses a remote key set, and then has nothing to do: `idle-process.ts <directory> <url of the key set>`.
 * Nothing is closed.
 */

const [directory = '', url = ''] = process.argv.slice(2);
const ring = await createKeyRing({ store: fileKeyStore(directory) });
const encryptionKeys = remoteJwks(url);
const client = createE2eeClient({ profile: banked, encryptionKeys, keyRing: ring });
const body = { payee: { name: 'Ada' } };
await client.encryptRequest({ method: 'POST', path: '/v2/payment_sessions', headers: {}, body });
await encryptionKeys.refresh();
process.stdout.write(`${encryptionKeys.status().state} ${ring.jwks().keys.length}\n`);
