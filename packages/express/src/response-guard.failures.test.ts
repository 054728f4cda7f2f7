import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express';
import { describe, expect, it } from 'vitest';
import { bank, CANARY, MASK, partner, policy, sealed } from '../test/bank.js';
import { type Version, versions } from '../test/versions.js';
import { everythingOf, gate, settle, watch } from '../test/watch.js';
import { type Answer, type Call, call, listen } from '../test/wire.js';
import type { E2eeExpressOptions } from './middleware.js';

type Way = (res: Response, req: Request, next: NextFunction) => unknown;

const SESSIONS = '/v2/payment_sessions';

interface Setup {
  readonly onError?: ErrorRequestHandler;
  readonly options?: Partial<E2eeExpressOptions>;
  readonly request?: Call;
  /** Whether rejections reach Express, as they do by themselves in Express 5 only. Default true. */
  readonly caught?: boolean;
}

async function run(
  version: Version,
  way: Way,
  setup: Setup = {},
): Promise<{ answer: Answer; events: unknown[] }> {
  const { onError, options, request, caught = true } = setup;
  const { app, events } = bank(version, options);
  app.post([SESSIONS, '/v2/notes'], (req, res, next) => {
    const done = way(res, req, next);
    if (caught && done instanceof Promise) done.catch(next);
  });
  if (onError) app.use(onError);
  const body = { encrypted_payee: await sealed(CANARY), encrypted_note: await sealed(CANARY) };
  const answer = await call(await listen(app), { path: SESSIONS, body, ...request });
  await settle();
  return { answer, events };
}

const THROWS: [string, Way][] = [
  [
    'throws',
    (_, req) => {
      throw new Error(`no account for ${req.body.payee}`);
    },
  ],
  [
    'rejects',
    async (_, req) => {
      await settle();
      throw new Error(`no account for ${req.body.payee}`);
    },
  ],
  ['passes on', (_, req, next) => next(new Error(`no account for ${req.body.payee}`))],
  [
    'passes on later',
    (_, req, next) => void setTimeout(() => next(new Error(`no account for ${req.body.payee}`)), 5),
  ],
  [
    'throws a text',
    (_, req) => {
      throw `no account for ${req.body.payee}`;
    },
  ],
  [
    'throws with a status',
    (_, req) => {
      throw Object.assign(new Error(req.body.payee), { status: 409, expose: true });
    },
  ],
  [
    'throws with headers',
    (_, req) => {
      throw Object.assign(new Error(req.body.payee), { status: 400, headers: { 'retry-after': '1' } });
    },
  ],
  [
    'throws after it set a status and a type',
    (res, req) => {
      res.status(201).type('html');
      throw new Error(req.body.payee);
    },
  ],
];

describe.each(versions)('an error after decryption on $name', (version) => {
  it.each(THROWS)('that a handler %s shows nothing on the page that Express makes of it', async (_, way) => {
    const { uncaught, printed } = watch();
    const { answer, events } = await run(version, way);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.json).toMatchObject({ errors: [{ code: 'response_refused' }] });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(everythingOf([answer, events]) + printed()).not.toContain(CANARY);
    expect(uncaught).toEqual([]);
  });

  it.each(THROWS)(
    'that a handler %s shows nothing through an error handler that echoes it',
    async (_, way) => {
      const echoes: [string, ErrorRequestHandler][] = [
        ['text', (error, _req, res, _next) => res.status(500).send(`failed: ${error.message ?? error}`)],
        ['end', (error, _req, res, _next) => res.writeHead(500).end(`failed: ${error.message ?? error}`)],
        [
          'end of a field',
          (_error, req, res, _next) =>
            res.writeHead(500).end(JSON.stringify({ code: 7, payee: { name: req.body.payee } })),
        ],
        ['body', (_error, req, res, _next) => res.status(400).json(req.body)],
        [
          'field',
          (_error, req, res, _next) => res.status(500).json({ code: 7, payee: { name: req.body.payee } }),
        ],
      ];
      for (const [kind, onError] of echoes) {
        const { answer, events } = await run(version, way, { onError });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(everythingOf([answer, events])).not.toContain(CANARY);
        if (kind.endsWith('field')) expect(answer.json).toEqual({ code: 7, payee: { name: MASK } });
      }
    },
  );

  it('keeps its status', async () => {
    const { answer } = await run(version, () => {
      throw Object.assign(new Error(CANARY), { status: 409 });
    });
    expect([answer.status, answer.reason]).toEqual([409, 'Conflict']);
  });

  it('goes out as a message to a recipient who wants that', async () => {
    const onError: ErrorRequestHandler = (error, _req, res, _next) =>
      res.status(500).json({ why: error.message });
    const options = { recipient: () => partner('message') };
    const { answer } = await run(
      version,
      () => {
        throw new Error(CANARY);
      },
      { onError, options },
    );
    expect([answer.status, answer.headers['content-type']]).toEqual([500, 'application/jose']);
    expect(answer.text).not.toContain(CANARY);
  });
});

describe.each(versions)('a handler on $name', (version) => {
  const doubles: [string, Way][] = [
    [
      'res.json and res.end',
      (res, req) => {
        res.json(req.body);
        res.end();
      },
    ],
    [
      'res.json and res.end of text',
      (res, req) => {
        res.json(req.body);
        res.end(CANARY);
      },
    ],
    [
      'res.json and res.write',
      (res, req) => {
        res.json(req.body);
        res.write(CANARY);
      },
    ],
    [
      'res.json and res.json',
      (res, req) => {
        res.json(req.body);
        res.json({ payee: CANARY, other: CANARY });
      },
    ],
    [
      'res.json and res.send of text',
      (res, req) => {
        res.json(req.body);
        res.send(CANARY);
      },
    ],
    [
      'res.json and writeHead',
      (res, req) => {
        res.json(req.body);
        res.writeHead(500, { 'x-late': CANARY });
      },
    ],
    [
      'res.json and a stream',
      (res, req) => {
        res.json(req.body);
        Readable.from([CANARY, CANARY]).pipe(res);
      },
    ],
    [
      'res.json and an error',
      (res, req) => {
        res.json(req.body);
        throw new Error(CANARY);
      },
    ],
    [
      'res.json and an error passed on',
      (res, req, next) => {
        res.json(req.body);
        next(new Error(CANARY));
      },
    ],
    [
      'res.json and another status',
      (res, req) => {
        res.json(req.body);
        res.status(500);
      },
    ],
    [
      'res.json and next',
      (res, req, next) => {
        res.json(req.body);
        next();
      },
    ],
  ];

  it.each(doubles)('that answers twice, with %s, sends the first answer only', async (_, way) => {
    const { uncaught } = watch();
    const { answer, events } = await run(version, way);
    const { answer: again } = await run(version, way, {
      onError: (_error, _req, res, _next) => res.status(500).end(`sorry ${CANARY}`),
    });
    for (const { status, reason, json } of [answer, again])
      expect([status, reason, json]).toEqual([
        200,
        'OK',
        { payee: MASK, encrypted_note: expect.any(String) },
      ]);
    expect(everythingOf([answer, again, events])).not.toContain(CANARY);
    expect(uncaught).toEqual([]);
  });

  it.each(doubles)(
    'that answers twice, with %s, does no harm where bodies pass untouched',
    async (_, way) => {
      const { uncaught } = watch();
      const setup: Setup = {
        options: { recipient: () => partner('redact') },
        request: { path: '/v2/notes' },
      };
      const onError: ErrorRequestHandler = (_error, _req, res, _next) => res.status(500).end('sorry');
      for (const { answer } of [
        await run(version, way, setup),
        await run(version, way, { ...setup, onError }),
      ]) {
        expect([answer.status, answer.reason, answer.headers['content-type']]).toEqual([
          200,
          'OK',
          'application/json; charset=utf-8',
        ]);
        expect(answer.json).toMatchObject({ note: CANARY });
      }
      expect(uncaught).toEqual([]);
    },
  );

  it.each([204, 304])('that changes its mind after %d shows nothing', async (status) => {
    for (const way of [
      (res) => {
        res.status(status).json({ payee: CANARY });
        res.status(200);
      },
      (res) => {
        res.status(status).send(CANARY);
        res.status(200);
      },
      (res) => {
        res.status(status).end(CANARY);
        res.status(200);
      },
      (res) => {
        res.status(status).write(CANARY);
        res.writeHead(200);
        res.end(CANARY);
      },
      (res) => {
        res.status(status).json({ payee: CANARY });
        throw new Error(CANARY);
      },
    ] satisfies Way[]) {
      const { answer } = await run(version, way);
      expect(answer.status).toBe(status);
      expect(everythingOf(answer)).not.toContain(CANARY);
    }
  });

  it('that goes on writing after it was refused is not heard, and not held up', async () => {
    const { uncaught } = watch();
    const finished: string[] = [];
    const ways: [string, Way][] = [
      [
        'awaited writes',
        async (res) => {
          for (let i = 0; i < 50; i += 1) await new Promise<void>((done) => res.write(CANARY, () => done()));
          await new Promise<void>((done) => res.end(CANARY, done));
        },
      ],
      ['an awaited end', (res) => new Promise<void>((done) => res.end(CANARY, done))],
      [
        'late writes',
        async (res) => {
          res.write(CANARY);
          await settle();
          expect(res.write(CANARY)).toBe(true);
          res.writeHead(200, { 'x-late': CANARY });
          res.send(CANARY).end(CANARY);
          res.flushHeaders();
        },
      ],
      ['a stream', (res) => pipeline(Readable.from(Array(200).fill(CANARY)), res)],
      [
        'a late answer',
        async (res) => {
          res.end(CANARY);
          await settle();
          res.json({ payee: CANARY });
          expect(() => res.sendStatus(204)).toThrow(/after they are sent/);
        },
      ],
    ];
    for (const [name, way] of ways) {
      const over = gate();
      const { answer } = await run(version, async (res, req, next) => {
        await Promise.resolve(way(res, req, next)).finally(over.open);
        finished.push(name);
      });
      expect(answer).toMatchObject({ status: 500, json: { errors: [{ code: 'response_refused' }] } });
      expect(everythingOf(answer)).not.toContain(CANARY);
      await over.passed;
      await settle();
    }
    expect(finished).toEqual(ways.map(([name]) => name));
    expect(uncaught).toEqual([]);
  });

  it('that waits for the second of two answers goes on as well', async () => {
    const over = gate();
    const { answer } = await run(version, async (res, req) => {
      res.json(req.body);
      await new Promise<void>((done) => res.write(CANARY, () => done()));
      await new Promise<void>((done) => res.end(CANARY, done));
      over.open();
    });
    await over.passed;
    expect(answer).toMatchObject({ status: 200, json: { payee: MASK } });
  });

  it('that streams without end is cut off, and its stream let go of', async () => {
    const { uncaught } = watch();
    const stream = new PassThrough();
    const ticks = setInterval(() => stream.write(CANARY), 1);
    const { answer } = await run(version, (res) => {
      stream.pipe(res);
    });
    expect(answer.status).toBe(500);
    await expect.poll(() => stream.listenerCount('data')).toBe(0);
    clearInterval(ticks);
    expect(uncaught).toEqual([]);
  });

  it('that writes something impossible where bodies pass breaks off, and the process goes on', async () => {
    const { uncaught } = watch();
    const setup: Setup = { options: { recipient: () => partner('redact') }, request: { path: '/v2/notes' } };
    const late: Way = (res) => {
      res.write('a');
      res.write(42 as never);
    };
    await expect(run(version, late, setup)).rejects.toThrow(/hang up|ECONNRESET|aborted/);
    const first: Way = (res) => {
      res.write(42 as never);
    };
    const { answer } = await run(version, first, setup);
    expect(answer).toMatchObject({ status: 500, json: { errors: [{ code: 'internal' }] } });
    expect(uncaught).toEqual([]);
  });

  it('that answers with an impossible status leaves the answer protected', async () => {
    const { uncaught } = watch();
    const onError: ErrorRequestHandler = (_error, req, res, _next) =>
      res.status(500).json({ payee: req.body.payee });
    for (const status of [42, 1000]) {
      for (const way of [
        (res) => {
          res.statusCode = status;
          res.end();
        },
        (res) => {
          res.statusCode = status;
          res.send();
        },
        (res) => {
          res.statusCode = status;
          res.json({ payee: CANARY });
        },
        (res) => {
          res.statusCode = status;
          res.end(CANARY);
        },
        (res) => {
          res.statusCode = status;
          res.end(`{"payee":"${CANARY}"}`);
        },
      ] satisfies Way[]) {
        const { answer } = await run(version, way, { onError });
        expect(answer.status).toBe(500);
        expect(everythingOf(answer)).not.toContain(CANARY);
      }
    }
    expect(uncaught).toEqual([]);
  });

  it('shows nothing, whatever goes wrong', async () => {
    const { uncaught, printed } = watch();
    const bodies: object[] = [
      { payee: CANARY },
      { payee: CANARY, encrypted_payee: await sealed(CANARY) },
      { encrypted_payee: await sealed(CANARY), mandate_id: CANARY },
      { encrypted_payee: await sealed(CANARY, 'text') },
      { encrypted_mandate_id: await sealed({ name: CANARY }), payee: [CANARY] },
      { encrypted_payee: CANARY },
      [CANARY],
    ];
    const ways: Way[] = [
      (res, req) => res.json(req.body),
      (res, req) => res.send(req.body.payee),
      (res, req) => res.json([req.body]),
      (res, req) =>
        res.json({
          payee: {
            toJSON: () => {
              throw new Error(req.body.payee);
            },
          },
        }),
      (res) => {
        res.write(CANARY);
        throw new Error(CANARY);
      },
      ...THROWS.map(([, way]) => way),
    ];
    const broken = policy['POST /v2/payment_sessions'] ?? {};
    const options: Partial<E2eeExpressOptions>[] = [
      {},
      {
        recipient: () => {
          throw new Error('no');
        },
      },
      { recipient: async () => partner('redact') },
      {
        policy: {
          [`POST ${SESSIONS}`]: {
            ...broken,
            'payee.name': { response: 'encrypt' },
            payee: { request: 'encrypt' },
          },
        },
      },
    ];
    const seen: unknown[] = [];
    for (const option of options) {
      for (const body of bodies)
        seen.push(await run(version, (res) => res.end(), { options: option, request: { body } }));
      for (const way of ways.slice(0, option === options[3] ? 2 : undefined))
        seen.push(await run(version, way, { options: option }));
    }
    expect(everythingOf(seen) + printed()).not.toContain(CANARY);
    expect(uncaught).toEqual([]);
  });
});
