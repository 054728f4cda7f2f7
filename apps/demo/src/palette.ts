import picocolors from 'picocolors';

/** What a piece of text is, which decides its colour. */
export type Kind =
  | 'secret'
  | 'token'
  | 'mask'
  | 'plain'
  | 'text'
  | 'leak'
  | 'note'
  | 'strong'
  | 'good'
  | 'bad';

export type Palette = Readonly<Record<Kind, (text: string) => string>>;

export function createPalette(hasColour: boolean): Palette {
  const { yellow, green, magenta, dim, bold, inverse, red } = picocolors.createColors(hasColour);
  return {
    secret: yellow,
    token: green,
    mask: magenta,
    plain: dim,
    text: (text) => text,
    leak: (text) => inverse(red(text)),
    note: dim,
    strong: bold,
    good: green,
    bad: (text) => bold(red(text)),
  };
}

/** Colour on a terminal, unless NO_COLOR (no-color.org) says no; FORCE_COLOR has it anywhere. */
export function wantsColour(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return isTerminal && env.TERM !== 'dumb';
}
