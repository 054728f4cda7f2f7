import { bodyText, createE2eeClient, type E2eeResponse } from '@e2ee/core';
import { runClientCases } from '../run.js';
import type { ClientSubject } from '../subject.js';

const none = 'fetch has none';
const subject: ClientSubject = {
  name: 'fetch (trial)',
  unsupported: {
    'request interceptors': none,
    'response interceptors': none,
    transformations: none,
    'a last step': none,
    'a retry library': none,
    'errors that can be sent again': none,
    params: none,
    'a choice of statuses': none,
    'options of TLS': none,
    'Node streams': none,
    'redirections with requireTls': none,
    'read: stream': none,
    'JSON values': none,
    'a base URL': none,
  },
  open: ({ baseUrl, options, client }) => {
    const e2ee = client ?? createE2eeClient(options);
    let on = true;
    return {
      send: async ({ method, path, headers = {}, body, timeout, signal }) => {
        const plain =
          (typeof body === 'object' &&
            body !== null &&
            [Object.prototype, null, Array.prototype].includes(Object.getPrototypeOf(body))) ||
          (typeof body !== 'object' && typeof body !== 'string') ||
          body?.constructor?.name === '';
        const has = Object.keys(headers).some((n) => n.toLowerCase() === 'content-type');
        const own: Record<string, string> = {
          ...(plain && body !== undefined && !has && { 'content-type': 'application/json' }),
          ...(typeof body === 'string' && !has && { 'content-type': 'text/plain' }),
          ...(!has && body instanceof Buffer && { 'content-type': 'application/octet-stream' }),
        };
        for (const [n, v] of Object.entries(headers)) own[n.toLowerCase()] = v;
        const url = new URL(baseUrl + path);
        const request = {
          method,
          path: url.pathname,
          headers: own,
          body,
          secure: url.protocol === 'https:' || url.hostname === '127.0.0.1',
        };
        const attempt = async (): Promise<E2eeResponse> => {
          const sealed = on ? await e2ee.encryptRequest(request) : request;
          signal?.throwIfAborted();
          const { 'content-length': _, ...h } = sealed.headers as Record<string, string>;
          const isRaw = typeof sealed.body === 'object' && sealed === request && !plain;
          const response = await fetch(url, {
            method,
            headers: h,
            body:
              ((isRaw
                ? sealed.body
                : typeof sealed.body === 'string' && sealed === request
                  ? sealed.body
                  : bodyText(sealed)) as BodyInit) ?? null,
            signal: signal ?? (timeout ? AbortSignal.timeout(timeout) : null),
            redirect: e2ee.requireTls ? 'error' : 'follow',
            duplex: 'half',
          } as RequestInit);
          const text = await response.text();
          return { status: response.status, headers: Object.fromEntries(response.headers), body: text };
        };
        let answer = await attempt();
        if (on && (await e2ee.recoverFrom(request, answer))) answer = await attempt();
        const opened = on ? await e2ee.decryptResponse(request, answer) : answer;
        let value: unknown = opened.body;
        if (typeof value === 'string')
          try {
            value = JSON.parse(value);
          } catch {}
        return { status: opened.status, headers: opened.headers, body: value, shown: [] };
      },
      eject: () => {
        on = false;
      },
      close: () => {},
    };
  },
};
runClientCases(subject);
