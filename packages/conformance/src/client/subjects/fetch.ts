import { e2ee } from '@e2ee/fetch';
import type { Client, ClientRequest, ClientSetup, ClientSubject } from '../subject.js';

/** The fetch that the runtime has. */
export function fetchSubject(): ClientSubject {
  return {
    name: `fetch of Node ${process.versions.node}`,
    unsupported: {
      'request interceptors': 'fetch has none',
      'response interceptors': 'fetch has none',
      transformations: 'fetch has none',
      'a retry library': 'whoever retries calls fetch again, with what the call was made with',
      'errors that can be sent again': 'an error of fetch knows nothing of its request',
      params: 'fetch takes whole URLs',
      'a base URL': 'fetch has none: the path is that of the URL',
      'a choice of statuses': 'fetch rejects for none',
      'JSON values': 'fetch takes text',
      'read: stream': 'fetch does not say how a body will be read: what a stream yields is decrypted too',
      'options of TLS': 'the fetch of Node takes none, and trusts the authorities that Node started with',
      'redirections with requireTls': 'fetch does not say where a redirection leads, so that all are refused',
    },
    open,
  };
}

function open({ baseUrl, options, client, sign }: ClientSetup): Client {
  const more = sign && { fetch: signing(sign) };
  let call = client ? e2ee(client, more) : e2ee({ ...options, ...more });
  return {
    send: async ({ path, read = 'json', ...request }) => {
      const response = await call(baseUrl + path, initOf(request));
      const shown = [response, response.clone()];
      const { status, headers } = response;
      return { status, headers: flat(headers), body: await bodyOf(response, read), shown };
    },
    eject: () => {
      call = fetch; // there is nothing to take off: the fetch that was given is as it was
    },
    close: () => {},
  };
}

function initOf({ method, headers, body, signal, timeout }: Omit<ClientRequest, 'path'>): RequestInit {
  const isJson = body !== undefined && !isOfFetch(body);
  const signals = [signal, timeout === undefined ? undefined : AbortSignal.timeout(timeout)];
  return {
    method,
    headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && {
      body: isJson ? JSON.stringify(body) : (body as NonNullable<RequestInit['body']>),
      duplex: 'half',
    }),
    signal: AbortSignal.any(signals.filter((one) => one !== undefined)),
  };
}

/** Whether fetch takes a body as it is. */
function isOfFetch(body: unknown): boolean {
  const kinds = [ArrayBuffer, Uint8Array, Blob, FormData, URLSearchParams];
  const isKnown = kinds.some((kind) => body instanceof kind);
  return typeof body === 'string' || isKnown || typeof Object(body)[Symbol.asyncIterator] === 'function';
}

async function bodyOf(response: Response, read: ClientRequest['read']): Promise<unknown> {
  if (read === 'bytes') return new TextDecoder().decode(await response.arrayBuffer());
  const text = await response.text();
  return read === 'text' ? text : parsed(text);
}

/** As axios does: what is no JSON stays a text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** With all values of a name, of which there may be several. */
function flat(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers.keys()].map((name) => [name, String(headers.get(name))]));
}

/** The last step before a request leaves. */
function signing(sign: (text: string) => string): typeof fetch {
  return (input, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('x-signature', sign(String(init.body ?? '')));
    return fetch(input, { ...init, headers });
  };
}
