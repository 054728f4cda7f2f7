import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bank, bankOptions, CANARY, opened, partner, sealed } from '../test/bank.js';
import { versions } from '../test/versions.js';
import { gate, settle, watch } from '../test/watch.js';
import { call, dial, exchange, listen } from '../test/wire.js';

const SESSIONS = '/v2/payment_sessions';

/** One connection, used again and again. */
function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return agent;
}

function raw(body: string, headers = ''): string {
  return `POST ${SESSIONS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

describe.each(versions)('connections on $name', (version) => {
  it('bring 50 parallel calls their own values back', async () => {
    const { app } = bank(version, {
      recipient: async ({ body }) => {
        await settle();
        return partner(body.id % 2 === 0 ? 'encrypt' : 'message');
      },
    });
    app.post(SESSIONS, async (req, res) => {
      await new Promise(setImmediate);
      res.json({ id: req.body.id, payee: [req.body.payee] });
    });
    const port = await listen(app);
    const calls = Array.from({ length: 50 }, async (_, id) => {
      const { json, text } = await call(port, {
        path: SESSIONS,
        body: { id, encrypted_payee: await sealed({ no: id }) },
      });
      if (id % 2 === 1) return opened(text);
      const { encrypted_payee: token, ...others } = json as Record<string, unknown>;
      return { ...others, payee: await opened(token) };
    });
    expect(await Promise.all(calls)).toEqual(
      Array.from({ length: 50 }, (_, id) => ({ id, payee: [{ no: id }] })),
    );
  });

  it('are used again after refusals, also of bodies that nobody has read', async () => {
    const { express, e2ee } = version;
    const ports = new Set<number | undefined>();
    const app = express();
    app.use((req, _, next) => {
      ports.add(req.socket.remotePort);
      next();
    });
    app.use(e2ee(bankOptions({ limits: { messageLength: 2000 } })), express.json());
    app.post('/fine', (req, res) => res.json(req.body));
    const port = await listen(app);
    const agent = keepAlive();
    const big = Buffer.alloc(400_000, 0x20);
    const json = { 'content-type': 'application/json' };
    for (const refused of [
      { path: SESSIONS, body: { payee: 1 } },
      { path: SESSIONS, headers: json, body: big },
      { path: SESSIONS, headers: json, body: ['{', big.toString(), '}'] },
      { path: '/v2/messages', headers: { 'content-type': 'application/jose' }, body: big },
      { path: '/.well-known/jwks.json', method: 'POST', headers: json, body: big },
      { path: '/v2/messages', headers: { 'content-type': 'application/jose' }, body: 'a.b.c.d.e' },
    ]) {
      const { status } = await call(port, { ...refused, agent });
      expect([400, 405, 413]).toContain(status);
      expect((await call(port, { path: '/fine', body: { after: status }, agent })).json).toEqual({
        after: status,
      });
    }
    expect(ports.size).toBe(1);
  });

  it('answer pipelined requests in their order, with the lookup of the first one slow', async () => {
    let lookups = 0;
    const { app } = bank(version, {
      recipient: async () => {
        lookups += 1;
        if (lookups === 1) await settle();
        return undefined;
      },
    });
    app.post(SESSIONS, (req, res) => res.json({ id: req.body.id, payee: CANARY }));
    const port = await listen(app);
    const answers = await exchange(
      port,
      raw('{"id":1}') + raw('{"id":2,"payee":1}') + raw('{"id":3}', 'Connection: close\r\n'),
    );
    const bodies = answers
      .split('HTTP/1.1 ')
      .slice(1)
      .map((text) => text.slice(0, 3) + text.slice(text.indexOf('\r\n\r\n') + 4));
    expect(bodies).toEqual([
      '200{"id":1,"payee":"[REDACTED]"}',
      expect.stringMatching(/^400.*plaintext_refused/),
      '200{"id":3,"payee":"[REDACTED]"}',
    ]);
  });

  it('may break off while a body is read, and the others go on', async () => {
    const { uncaught } = watch();
    const { app, events } = bank(version);
    app.post('/v2/messages', () => expect.unreachable());
    const port = await listen(app);
    const headers = { 'content-type': 'application/jose', 'content-length': '5000' };
    const message = request({ host: '127.0.0.1', port, method: 'POST', path: '/v2/messages', headers });
    message.on('error', () => {});
    message.write('eyJ');
    await settle();
    message.destroy();
    await settle();
    expect(await call(port, { path: '/.well-known/jwks.json' })).toMatchObject({ status: 200 });
    expect([uncaught, events]).toEqual([[], []]);
  });

  it.each(['encrypt', 'redact', 'message'] as const)(
    'may be gone when a handler answers a recipient of %s',
    async (response) => {
      const { uncaught, printed } = watch();
      const { app } = bank(version, { recipient: () => partner(response) });
      const arrived = gate();
      const gone = gate();
      let answered = 0;
      app.get(`${SESSIONS}/:id`, async (req, res) => {
        arrived.open();
        await once(res, 'close');
        if (req.params.id === 'json') res.json({ payee: CANARY });
        else if (req.params.id === 'end') res.end(CANARY);
        else for (const part of [CANARY, 'b', 'c']) res.write(part);
        await settle();
        res.end();
        answered += 1;
        gone.open();
      });
      const port = await listen(app);
      for (const way of ['json', 'end', 'write']) {
        const socket = await dial(port);
        socket.write(`GET ${SESSIONS}/${way} HTTP/1.1\r\nHost: a\r\n\r\n`);
        await settle();
        socket.destroy();
      }
      await arrived.passed;
      await gone.passed;
      for (let turn = 0; answered < 3 && turn < 100; turn += 1) await settle();
      expect([answered, uncaught]).toEqual([3, []]);
      expect(printed()).not.toContain(CANARY);
    },
  );

  it('may be gone while a response is being protected', async () => {
    const { uncaught } = watch();
    const waiting = gate();
    const goOn = gate();
    const { app } = bank(version, {
      recipient: async () => {
        waiting.open();
        await goOn.passed;
        return partner('encrypt');
      },
    });
    app.get(`${SESSIONS}/:id`, (_, res) => res.json({ payee: CANARY }));
    const port = await listen(app);
    const socket = await dial(port);
    socket.write(`GET ${SESSIONS}/1 HTTP/1.1\r\nHost: a\r\n\r\n`);
    await waiting.passed;
    socket.destroy();
    await settle();
    goOn.open();
    await settle();
    expect(uncaught).toEqual([]);
    expect(await call(port, { path: `${SESSIONS}/2` })).toMatchObject({ status: 200 });
  });

  it('carry an answer that came while the request was still being sent', async () => {
    const { express, e2ee } = version;
    const app = express().use(e2ee(bankOptions()));
    const socket = await dial(await listen(app));
    socket.write(
      `POST ${SESSIONS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a"`,
    );
    let heard = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text;
    });
    await expect.poll(() => heard).toMatch(/^HTTP\/1.1 400 .*body_unreadable/s);
    socket.write(':1234}GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await expect.poll(() => heard).toMatch(/HTTP\/1.1 200 .*"keys"/s);
  });
});
