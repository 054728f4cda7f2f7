import { E2eeError } from '@e2ee/core';
import type { InternalAxiosRequestConfig } from 'axios';

type Config = InternalAxiosRequestConfig;
/** What Node's agents and connections are told of TLS. */
interface TlsOptions {
  readonly minVersion?: string;
  readonly secureProtocol?: string;
  /** Shows nothing of what it allows. */
  readonly secureContext?: unknown;
}

/** Whether a request goes by TLS 1.2 or later, or does not leave this machine. */
export function isSecure(uri: string, config: Config): boolean {
  const base = Reflect.get(globalThis, 'location')?.href;
  if (!URL.canParse(uri, base)) return false;
  const { protocol, hostname } = new URL(uri, base);
  if (protocol === 'http:') return isLoopback(hostname) && !usesProxy(config);
  const { http2Options } = config as { http2Options?: TlsOptions }; // of Axios 1.21; 1.7 has none
  const settings = [config.httpsAgent?.options, http2Options, platformDefaults()];
  return protocol === 'https:' && !settings.some(allowsOldTls);
}

/** Refuses redirections that leave TLS: they would carry the request along. */
export function keepToTls(config: Config): void {
  const { beforeRedirect, fetchOptions } = config;
  config.beforeRedirect = (options, ...rest) => {
    if (options.protocol !== 'https:' && !isLoopback(String(options.hostname)))
      throw new E2eeError('tls_required', 'The server redirects to a place without TLS');
    beforeRedirect?.(options, ...rest);
  };
  const { redirect = 'error' } = Object(fetchOptions);
  config.fetchOptions = { ...fetchOptions, redirect: redirect === 'follow' ? 'error' : redirect };
}

/** Whether Axios may hand a request in the clear to a proxy. */
function usesProxy({ proxy }: Config): boolean {
  if (proxy !== undefined) return Boolean(proxy);
  const { env = {} } = Object(Reflect.get(globalThis, 'process')) as { env?: Record<string, string> };
  return Boolean(env.http_proxy ?? env.HTTP_PROXY ?? env.all_proxy ?? env.ALL_PROXY);
}

function allowsOldTls({ minVersion = '', secureProtocol = '', secureContext }: TlsOptions = {}): boolean {
  if (secureContext !== undefined) return true;
  const isPinned = /^(?:TLSv1_2_.*)?$/.test(secureProtocol); // every other name of one means, or allows, an older one
  return !isPinned || /^TLSv1(?:\.1)?$/.test(minVersion);
}

/** What Node was told on its command line. Browsers speak nothing older than TLS 1.2. */
function platformDefaults(): TlsOptions {
  const node = Reflect.get(globalThis, 'process') as
    | { getBuiltinModule?: (name: string) => unknown }
    | undefined;
  const tls = node?.getBuiltinModule?.('node:tls') as { DEFAULT_MIN_VERSION: string } | undefined;
  return tls ? { minVersion: tls.DEFAULT_MIN_VERSION } : {};
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|\[?::1\]?|127(?:\.\d{1,3}){3})$/.test(hostname);
}
