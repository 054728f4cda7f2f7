/*
 * An API whose private key is in the key service next door.
 *
 * Environment: KEY_SERVICE_URL, KEY_SERVICE_TOKEN, KEY_ID, UNWRAP_TIMEOUT (milliseconds), PORT.
 */
import { createHash } from 'node:crypto';
import { banked, createKeyRing, serviceKey } from '@e2ee/core';
import { e2ee } from '@e2ee/express';
import express from 'express';
import { keyServiceClient } from './key-service-client.js';

const { KEY_SERVICE_URL = '', KEY_SERVICE_TOKEN = '', KEY_ID = 'bank-1' } = process.env;
const { UNWRAP_TIMEOUT = '5000', PORT = '0' } = process.env;

const unwrapper = keyServiceClient({ url: KEY_SERVICE_URL, token: KEY_SERVICE_TOKEN });
const publicKey = await unwrapper.publicKey(KEY_ID);
const key = await serviceKey({ publicKey, kid: KEY_ID, unwrapper, timeout: Number(UNWRAP_TIMEOUT) });
const keyRing = await createKeyRing({ keys: key });

const app = express();
app.use(express.json());
app.use(e2ee({ profile: banked, keyRing })); // throttled, late or unreachable service: 503 with Retry-After
app.post('/v2/payment_sessions', (req, res) => {
  const receipt = createHash('sha256').update(req.body.payee.name).digest('hex'); // the plain value is here
  res.status(201).json({ id: 'ps_1', receipt });
});
const server = app.listen(Number(PORT), '127.0.0.1', () => console.log(server.address()));
process.once('SIGTERM', () => server.close());
