/** A compact JWE, taken apart without any key. */
export interface SeenToken {
  readonly text: string;
  readonly header: Readonly<Record<string, unknown>>;
  /** Encrypted key, IV, ciphertext and tag. */
  readonly parts: readonly Buffer[];
}

/** The ciphertext of an empty text is empty. */
const COMPACT_JWE = /eyJ[\w-]*(?:\.[\w-]+){2}\.[\w-]*\.[\w-]+(?![\w.-])/g;

/** Every compact JWE in a text. */
export function tokensIn(text: string): SeenToken[] {
  return (text.match(COMPACT_JWE) ?? []).flatMap((candidate) => readToken(candidate) ?? []);
}

/** A value as a token, if that is all it is. */
export function tokenOf(value: unknown): SeenToken | undefined {
  if (typeof value !== 'string') return undefined;
  const [token] = tokensIn(value);
  return token?.text === value ? token : undefined;
}

function readToken(text: string): SeenToken | undefined {
  const [head = '', ...parts] = text.split('.').map((part) => Buffer.from(part, 'base64url'));
  try {
    const header: unknown = JSON.parse(head.toString('utf8'));
    if (typeof header !== 'object' || header === null || !('alg' in header) || !('enc' in header))
      return undefined;
    return { text, header: { ...header }, parts };
  } catch {
    return undefined;
  }
}
