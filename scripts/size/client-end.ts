/* The client end: requests encrypted and responses decrypted by a provider's policy, with the keys that it publishes. */
import { createE2eeClient, powens, remoteJwks } from '@e2ee/core';

const encryptionKeys = remoteJwks('https://api.example/publickey');
Object.assign(globalThis, { client: createE2eeClient({ profile: powens, encryptionKeys }) });
