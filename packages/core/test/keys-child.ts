// What another process does to a key store: `keys-child.ts open|count DIRECTORY`.
import { writeSync } from 'node:fs';
import { fileKeyStore } from '../src/keys/file-key-store.node.js';
import { createKeyRing } from '../src/keys/key-ring.js';

const [, , command = '', directory = ''] = process.argv;
const store = fileKeyStore(directory);

/** Opens a ring and says which key it publishes. The ring is left open: it must not keep the process alive. */
async function open(): Promise<void> {
  const ring = await createKeyRing({ store });
  writeSync(1, `${ring.jwks().keys[0]?.kid}\n`);
}

/** Counts in the store until it is killed, and says each number once it is stored. */
async function count(): Promise<void> {
  for (;;) {
    const [key] = await store.update(async ([counter]) => {
      const createdAt = (counter?.createdAt ?? 0) + 1;
      const pkcs8 = String(createdAt).repeat(50_000); // long enough to be killed in the middle of it
      return [{ kid: 'counter', alg: 'RSA-OAEP-256', pkcs8, createdAt, publishAt: 1, expiresAt: 2 }];
    });
    writeSync(1, `${key?.createdAt}\n`);
  }
}

await (command === 'open' ? open() : count());
