/*
 * What the provider's page says of its calls, written down a second time and read by other code than the library's: every
 * member of a connection is a credential but the ones here, and every member of `fields`.
 */
const OPEN = ['id_connector', 'validated'];

/** A credential in a body. */
export interface Secret {
  /** `password`, `fields.otp` */
  readonly path: string;
  readonly value: unknown;
}

export function secretsOf(body: Readonly<Record<string, unknown>>): Secret[] {
  return Object.entries(body).flatMap(([name, value]): Secret[] => {
    if (OPEN.includes(name)) return [];
    if (name !== 'fields') return [{ path: name, value }];
    return Object.entries(Object(value)).map(([field, inner]) => ({ path: `fields.${field}`, value: inner }));
  });
}

/** What the credential is called in a confirmation. */
export function nameOf(path: string): string {
  return path.replace(/^fields\./, '');
}

/** The body with what `change` makes of each credential in its place. */
export function withSecrets(
  body: Readonly<Record<string, unknown>>,
  change: (secret: Secret) => unknown,
): Record<string, unknown> {
  const changed = secretsOf(body).map((secret) => [secret.path, change(secret)] as const);
  const values = new Map(changed);
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => {
      if (OPEN.includes(name)) return [name, value];
      if (name !== 'fields') return [name, values.get(name)];
      const fields = Object.keys(Object(value)).map((field) => [field, values.get(`fields.${field}`)]);
      return [name, Object.fromEntries(fields)];
    }),
  );
}

/** How the aggregator confirms a credential: how long it is and, from six characters on, how it ends. */
export function confirmationOf(value: unknown): unknown {
  const characters = Array.from(String(value));
  const ends_with = characters.length < 6 ? null : characters.slice(-2).join('');
  return { length: characters.length, ends_with };
}
