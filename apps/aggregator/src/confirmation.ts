/** What may be shown of a credential, so that a person recognises it. */
export interface Confirmation {
  /** In characters. */
  readonly length: number;
  /** The last two characters; nothing of what is so short that they would tell too much. */
  readonly ends_with: string | null;
}

const SHORTEST = 6;

function confirm(credential: string): Confirmation {
  const characters = [...credential];
  const { length } = characters;
  return { length, ends_with: length < SHORTEST ? null : characters.slice(-2).join('') };
}

export function confirmAll(credentials: ReadonlyMap<string, string>): Record<string, Confirmation> {
  return Object.fromEntries([...credentials].map(([name, value]) => [name, confirm(value)]));
}
