import { createServer } from 'node:net';
import { inspect } from 'node:util';
import axios, {
  AxiosError,
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bank, CANARY, keyRejection, localOptions, send } from '../test/bank.js';
import { ADAPTERS, createPlain, failureOf } from '../test/calls.js';
import { e2ee } from './index.js';

const bank = await new Bank().start();
const rejections: unknown[] = [];
const onRejection = (reason: unknown): void => void rejections.push(reason);
process.on('unhandledRejection', onRejection);
afterAll(() => {
  process.off('unhandledRejection', onRejection);
  return bank.close();
});
beforeEach(() => bank.reset());
afterEach(() => vi.restoreAllMocks());

const json = { 'content-type': 'application/json' };
const data = { payee: { name: CANARY }, mandate_id: CANARY };

interface Failure {
  readonly url?: string;
  readonly config?: () => AxiosRequestConfig;
  readonly prepare?: (api: AxiosInstance) => void;
  readonly bank?: () => void;
  /** It fails before axios calls an adapter. */
  readonly unsent?: true;
}

const answering =
  (status: number, headers: Record<string, string> = json) =>
  () => {
    bank.handle = () => ({ status, headers, body: { ...data, secret: CANARY } });
  };

const hanging = () => {
  bank.intercept = async () => {
    await new Promise((resolve) => setTimeout(resolve, 400));
    return false;
  };
};

/** Every way in which a covered call can fail. */
const FAILURES: [string, Failure][] = [
  ['the connection is refused', { config: () => ({ baseURL: 'http://127.0.0.1:9' }) }],
  ['the host is unknown', { config: () => ({ baseURL: 'http://host.invalid' }) }],
  [
    'the connection drops',
    {
      bank: () => {
        bank.intercept = (_, response) => !!response.destroy();
      },
    },
  ],
  [
    'the response breaks off',
    {
      bank: () => {
        bank.intercept = (_, response) => {
          response.writeHead(200, { ...json, 'content-length': 1_000 });
          response.write('{"a":');
          setTimeout(() => response.destroy(), 20);
          return true;
        };
      },
    },
  ],
  ['the time is up', { bank: hanging, config: () => ({ timeout: 50 }) }],
  ['the URL is none', { url: 'http://[/v2/payments' }],
  ['the URL lacks its slashes', { url: 'http:/v2/payments', config: () => ({ baseURL: '' }) }],
  ['the adapter is unknown', { config: () => ({ adapter: 'none' }) }],
  ['it is aborted before', { unsent: true, config: () => ({ signal: AbortSignal.abort() }) }],
  ['it is aborted in the middle', { bank: hanging, config: () => ({ signal: AbortSignal.timeout(50) }) }],
  [
    'it is cancelled by token before',
    {
      unsent: true,
      config: () => {
        const source = axios.CancelToken.source();
        source.cancel('stop');
        return { cancelToken: source.token };
      },
    },
  ],
  [
    'it is cancelled by token in the middle',
    {
      bank: hanging,
      config: () => {
        const source = axios.CancelToken.source();
        setTimeout(() => source.cancel('stop'), 50);
        return { cancelToken: source.token };
      },
    },
  ],
  ['it answers 400', { bank: answering(400) }],
  ['it answers 422', { bank: answering(422) }],
  ['it answers 500', { bank: answering(500) }],
  [
    'it answers 500 with a token for a body',
    { bank: answering(500), config: () => ({ headers: { 'x-response': 'message' } }) },
  ],
  ['it answers 500 as text', { bank: answering(500), config: () => ({ responseType: 'text' }) }],
  ['it answers 500 as bytes', { bank: answering(500), config: () => ({ responseType: 'arraybuffer' }) }],
  ['it answers 500 as a stream', { bank: answering(500), config: () => ({ responseType: 'stream' }) }],
  [
    'the key is rejected',
    {
      bank: () => {
        bank.handle = keyRejection;
      },
    },
  ],
  [
    'there are too many redirects',
    {
      bank: () => {
        bank.intercept = (_, response) => {
          send(response, { status: 307, headers: { location: '/v2/payments' } });
          return true;
        };
      },
    },
  ],
  ['the body is too large', { config: () => ({ maxBodyLength: 10, maxRedirects: 0 }), bank: answering(500) }],
  ['the answer is too large', { bank: answering(500), config: () => ({ maxContentLength: 10 }) }],
  [
    'transformRequest throws',
    {
      config: () => ({
        transformRequest: [
          () => {
            throw new Error('no form');
          },
        ],
      }),
    },
  ],
  [
    'transformRequest throws an AxiosError',
    {
      unsent: true,
      config: () => ({
        transformRequest: [
          function (this: InternalAxiosRequestConfig) {
            throw AxiosError.from(new Error('no form'), 'ERR_BAD_REQUEST', this);
          },
        ],
      }),
    },
  ],
  [
    'transformResponse throws',
    {
      config: () => ({
        transformResponse: [
          () => {
            throw new Error('no form');
          },
        ],
      }),
    },
  ],
  [
    'transformResponse throws an AxiosError',
    {
      config: () => ({
        transformResponse: [
          function (this: InternalAxiosRequestConfig & { response?: AxiosResponse }) {
            throw AxiosError.from(
              new Error('no form'),
              'ERR_BAD_RESPONSE',
              this as never,
              null,
              this.response,
            );
          },
        ],
      }),
    },
  ],
  [
    'a response interceptor throws',
    {
      prepare: (api) => {
        api.interceptors.response.use(({ config, request }: AxiosResponse) => {
          throw new AxiosError('business', 'NO', config, request);
        });
      },
    },
  ],
  [
    'a response interceptor throws its response',
    {
      prepare: (api) => {
        api.interceptors.response.use((response: AxiosResponse) => {
          throw new AxiosError('business', 'NO', response.config, response.request, response);
        });
      },
    },
  ],
  ['the body cannot be encrypted', { config: () => ({ headers: { 'Content-Type': 'text/plain' } }) }],
  [
    'the answer cannot be decrypted',
    {
      bank: () => {
        bank.intercept = (_, response) => {
          const token = `eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.${'A'.repeat(342)}.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA`;
          send(response, { status: 500, headers: json, body: { encrypted_payee: token } });
          return true;
        };
      },
    },
  ],
];

describe.each(ADAPTERS)('over the %s adapter plaintext shows nowhere', (adapter) => {
  it.each(FAILURES)('when %s', async (_, { url = '/v2/payments', config = () => ({}), ...failure }) => {
    const printed = spyOnOutput();
    failure.bank?.();
    const api = createPlain(bank, adapter);
    const seen: string[] = [];
    api.interceptors.response.use(undefined, (error: unknown) => {
      // Registered before ours, this one may see the body of a request that was never handed to an adapter.
      if (!failure.unsent) seen.push(showings(error));
      throw error;
    });
    e2ee(api, localOptions);
    failure.prepare?.(api);
    const error = await failureOf(api.post(url, data, config()));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(error).toBeInstanceOf(Error);
    expectClean([...seen, showings(error), ...printed(), inspect(rejections), bank.wire].join('\n'));
    expect(rejections).toEqual([]);
  });

  it('when a request interceptor that runs after ours throws what it was given', async () => {
    const api = createPlain(bank, adapter);
    api.interceptors.request.use((config) => {
      throw new AxiosError('refused', 'NO', config);
    });
    e2ee(api, localOptions);
    expectClean(showings(await failureOf(api.post('/v2/payments', data))));
  });

  it('when an interceptor that ran after ours has taken the adapter away and the call fails', async () => {
    const api = createPlain(bank, adapter);
    api.interceptors.request.use((config) => ({ ...config, adapter, signal: AbortSignal.abort() }));
    e2ee(api, localOptions);
    expectClean(showings(await failureOf(api.post('/v2/payments', data))));
  });

  it('in a response that is logged', async () => {
    const api = createPlain(bank, adapter);
    e2ee(api, localOptions);
    const response = await api.post('/v2/payments', data);
    expect(response.data.payee).toEqual(data.payee);
    expectClean(inspect(response, { depth: 10 }));
    const { config, request } = response;
    expectClean(inspect([config, request], { depth: 10 }) + JSON.stringify(config));
  });

  it('in an error that is logged, whose data is plain all the same', async () => {
    answering(409)();
    const api = createPlain(bank, adapter);
    e2ee(api, localOptions);
    const error = await failureOf(api.post('/v2/payments', data));
    const { response } = error as AxiosError<typeof data>;
    expectClean(showings(error));
    expect(response?.data.payee).toEqual(data.payee);
    expect(JSON.parse((error as AxiosError).config?.data).encrypted_payee).toMatch(/^eyJ/);
  });

  it('in an error that is logged while its body is written or retried', async () => {
    answering(503)();
    const api = createPlain(bank, adapter);
    e2ee(api, localOptions);
    const first = (await failureOf(api.post('/v2/payments', data))) as AxiosError;
    const second = (await failureOf(api.request(first.config ?? {}))) as AxiosError;
    expectClean(showings(first) + showings(second));
  });

  it('in a config that is held and looked at while the request is under way', async () => {
    const held: unknown[] = [];
    const api = createPlain(bank, adapter);
    e2ee(api, localOptions);
    bank.intercept = () => {
      held.push(inspect(api, { depth: 10 }));
      return false;
    };
    await api.post('/v2/payments', data, {
      adapter: (config) => {
        held.push(inspect(config, { depth: 10 }), JSON.stringify(config));
        return axios.getAdapter(adapter)(config);
      },
    });
    expect(held).toHaveLength(3);
    expectClean(held.join());
  });
});

describe.each(ADAPTERS)('over the %s adapter', (adapter) => {
  it('a config that an interceptor holds shows nothing once encryption has failed', async () => {
    const held: AxiosRequestConfig[] = [];
    const api = createPlain(bank, adapter);
    api.interceptors.request.use((config) => {
      config.transformRequest = [
        (body, headers) => JSON.stringify(headers.setContentType('text/plain') && body),
      ];
      held.push(config);
      return config;
    });
    e2ee(api, localOptions);
    expectClean(showings(await failureOf(api.post('/v2/payments', data))));
    expect(held).toHaveLength(1);
    expectClean(inspect(held, { depth: 10 }));
  });
});

describe('a proxy on the way', () => {
  it('sees nothing in plain', async () => {
    const seen: Buffer[] = [];
    const proxy = createServer((socket) => {
      socket.on('data', (part) => {
        seen.push(part);
        socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as { port: number };
    const api = createPlain(bank, 'http', { proxy: { host: '127.0.0.1', port } });
    e2ee(api, localOptions);
    expectClean(showings(await failureOf(api.post('/v2/payments', data))));
    expectClean(Buffer.concat(seen).toString());
    expect(seen.length).toBeGreaterThan(0);
    proxy.close();
  });
});

/** Everything that logs and error reports make of an error. `error.response.data` itself is plain by contract. */
function showings(error: unknown): string {
  const { config, response, request, cause, stack, message } = error as AxiosError;
  const shown = [error, config, response?.config, response?.headers, request, cause];
  const printed = shown.map((item) => inspect(item, { depth: 10, showHidden: false }));
  const toJSON = (error as AxiosError).toJSON?.();
  return [
    ...printed,
    safeJson(error),
    safeJson(toJSON),
    safeJson(config),
    safeJson(response?.config),
    stack,
    message,
  ].join('\n');
}

function safeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // a cycle: nothing is shown
  }
}

function expectClean(text: string): void {
  const at = text.indexOf(CANARY);
  expect(at < 0 ? '' : text.slice(Math.max(0, at - 300), at + 50)).toBe('');
}

/** Everything that is written to the console from now on. */
function spyOnOutput(): () => string[] {
  const methods = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const;
  const spies = methods.map((method) => vi.spyOn(console, method).mockImplementation(() => {}));
  return () => spies.map((spy) => inspect(spy.mock.calls, { depth: 10 }));
}
