/** Whether a request goes by TLS 1.2 or later, or does not leave this machine. */
export function isSecure({ protocol, hostname }: URL): boolean {
  if (protocol === 'http:') return isLoopback(hostname) && !usesProxy();
  return protocol === 'https:' && !allowsOldTls();
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|\[?::1\]?|127(?:\.\d{1,3}){3})$/.test(hostname);
}

/** Whether the runtime may hand a request in the clear to a proxy: Deno and Bun do, and Node where it is told to. */
function usesProxy(): boolean {
  const { env = {} } = Object(Reflect.get(globalThis, 'process')) as { env?: Record<string, string> };
  return Boolean(env.http_proxy ?? env.HTTP_PROXY ?? env.all_proxy ?? env.ALL_PROXY);
}

/** What Node was told on its command line. Browsers speak nothing older than TLS 1.2. */
function allowsOldTls(): boolean {
  const node = Object(Reflect.get(globalThis, 'process')) as { getBuiltinModule?: (name: string) => unknown };
  const { DEFAULT_MIN_VERSION = '' } = Object(node.getBuiltinModule?.('node:tls')) as Record<string, string>;
  return /^TLSv1(?:\.1)?$/.test(DEFAULT_MIN_VERSION);
}
