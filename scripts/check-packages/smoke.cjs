// Requires every entry point that it is given as a user's CommonJS module does, and encrypts and decrypts a token.
const assert = require('node:assert/strict');

const [, , ...entries] = process.argv;
for (const entry of entries)
  assert.notEqual(Object.keys(require(entry)).length, 0, `${entry} exports nothing`);
assert.equal(require('@e2ee/core/schema/policy.json').type, 'object');

async function roundTrip() {
  const { createKeyRing, decryptJwe, encryptJwe, importKey } = require('@e2ee/core');
  const keyRing = await createKeyRing();
  const plaintext = new TextEncoder().encode('12345678');
  const token = await encryptJwe(plaintext, await importKey(keyRing.jwks().keys[0]));
  assert.deepEqual((await decryptJwe(token, keyRing)).plaintext, plaintext);
}

roundTrip();
