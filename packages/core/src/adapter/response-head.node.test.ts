import { describe, expect, it } from 'vitest';
import { exchange, get, serve } from '../../test/raw-http.js';
import type { E2eeResponse } from '../exchange/message.js';
import { sendAnswer } from './response-head.node.js';

/** What comes of an answer after something has set the head of another one. */
async function sent(answer: E2eeResponse, method = 'GET'): ReturnType<typeof exchange> {
  const port = await serve((_, res) => {
    res.statusCode = 299;
    res.statusMessage = 'Other';
    for (const name of ['content-type', 'content-encoding', 'content-length', 'etag', 'trailer', 'x-own'])
      res.setHeader(name, '5');
    res.setHeader('transfer-encoding', 'chunked').setHeader('set-cookie', ['a=1', 'b=2']);
    sendAnswer(res, answer);
  });
  return exchange(port, get('/', method));
}

const JSON_TYPE = { 'content-type': 'application/json' };

describe('an answer of our own', () => {
  it('goes out under its own head, cookies and foreign headers kept', async () => {
    const { status, reason, headers, body } = await sent({
      status: 400,
      headers: JSON_TYPE,
      body: { a: 'ü' },
    });
    expect([status, reason, body]).toEqual([400, 'Bad Request', Buffer.from('{"a":"ü"}').toString('latin1')]);
    const { date, ...others } = headers;
    expect(others).toEqual({
      connection: 'close',
      'content-length': '10',
      'content-type': 'application/json',
      'set-cookie': 'a=1, b=2',
      'x-own': '5',
    });
  });

  it('has a length of nought without a body, and none where there must be none', async () => {
    expect((await sent({ status: 405, headers: {} })).headers['content-length']).toBe('0');
    for (const status of [204, 304]) {
      const { headers, body } = await sent({ status, headers: {} });
      expect([headers['content-length'], headers['transfer-encoding'], body]).toEqual([
        undefined,
        undefined,
        '',
      ]);
    }
  });

  it('answers HEAD with its length alone', async () => {
    const { headers, body } = await sent({ status: 200, headers: JSON_TYPE, body: [1] }, 'HEAD');
    expect([headers['content-length'], body]).toEqual(['3', '']);
  });

  it('sends a token as it is', async () => {
    const headers = { 'content-type': 'application/jose' };
    const answer = await sent({ status: 200, headers, body: 'a.b' });
    expect([answer.headers['content-type'], answer.body]).toEqual(['application/jose', 'a.b']);
  });
});
