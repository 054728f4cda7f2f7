/**
 * What must compile with `exactOptionalPropertyTypes`, which tells an absent member from one that is `undefined`. Compiled
 * with that option only. Never runs.
 */
import { banked, createE2eeClient, type EncryptionKeys, type KeyRing } from '@e2ee/core';

declare const encryptionKeys: EncryptionKeys;
declare const keyRing: KeyRing | undefined;

createE2eeClient({ profile: banked, encryptionKeys, ...(keyRing && { keyRing }) });
// @ts-expect-error an option that is there has a value
createE2eeClient({ profile: banked, encryptionKeys, keyRing });
