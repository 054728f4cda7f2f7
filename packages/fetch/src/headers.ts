type Plain = Readonly<Record<string, string>>;

/** Headers as plain data, their names in lower case. Of several values of `set-cookie` the last one. */
export function flat(headers: Headers): Record<string, string> {
  return Object.fromEntries(headers);
}

/** Headers with what differs between two plain ones changed, and nothing else: one with several values stays as it is. */
export function rewrite(headers: Headers, before: Plain, after: Plain): Headers {
  const rewritten = new Headers(headers);
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) rewritten.delete(name);
  for (const [name, value] of Object.entries(after)) if (value !== before[name]) rewritten.set(name, value);
  return rewritten;
}
