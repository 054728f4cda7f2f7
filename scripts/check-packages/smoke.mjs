// Imports every entry point that it is given as a user's ES module does, and encrypts and decrypts a token.
import assert from 'node:assert/strict';

const [, , ...entries] = process.argv;
for (const entry of entries) {
  const names = Object.keys(await import(entry));
  assert.notEqual(names.length, 0, `${entry} exports nothing`);
}

const { createKeyRing, decryptJwe, encryptJwe, importKey } = await import('@e2ee/core');
const keyRing = await createKeyRing();
const plaintext = new TextEncoder().encode('12345678');
const token = await encryptJwe(plaintext, await importKey(keyRing.jwks().keys[0]));
assert.deepEqual((await decryptJwe(token, keyRing)).plaintext, plaintext);
