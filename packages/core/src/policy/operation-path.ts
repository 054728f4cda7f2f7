/** Scheme and authority of a request target in absolute form (RFC 9112 §3.2.2), which frameworks route by its path. */
const ORIGIN = /^[a-z][a-z\d+.-]*:(?:[/\\]{2}[^/\\?#]*)?/i;
/** A path that is read in one way, and as it stands: nearly all of them. */
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/;
/** What makes a path readable in more than one way. */
const AMBIGUOUS = /[%;\\]|(?:^|\/)\.\.?(?:\/|$)/;

/**
 * The ways in which a framework might read a request's path, each as lower-case, non-empty segments with a slash before
 * them; a slash that is part of a segment is NUL, which no template has. Usually one. There are more when a path holds
 * percent-encoding, backslashes, dot segments or `;`: frameworks differ over these (Express matches literal segments
 * undecoded, Fastify decoded), and the policy must hold for every one of them.
 */
export function pathReadings(path: string): readonly string[] {
  if (PLAIN.test(path)) return [path.toLowerCase()];
  // Node's url.parse(), which Express and Koa route by, trims white space.
  const bare = path
    .trim()
    .replace(ORIGIN, '')
    .replace(/[?#].*$/s, '')
    .toLowerCase();
  if (!AMBIGUOUS.test(bare)) return [written(segments(bare))];
  const spellings = [bare, bare.replace(/;[^/]*/g, ''), bare.replace(/;.*$/s, '')];
  const raw = spellings.flatMap(withSlashes).map(segments);
  const decoded = raw.map((reading) => reading.map(decode));
  const split = [...raw, ...decoded, ...spellings.map(decode).flatMap(withSlashes).map(segments)];
  return [...new Set([...split, ...split.map(withoutDots)].map(written))];
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** A path as it is, and with slashes for backslashes as Node's url.parse() may read it. */
function withSlashes(path: string): string[] {
  return [path, path.replaceAll('\\', '/')];
}

/** Percent-decoding; what is not valid stays as it is. Encoded letters come out in lower case too. */
function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text).toLowerCase();
  } catch {
    return text;
  }
}

/** RFC 3986 §5.2.4. */
function withoutDots(path: readonly string[]): string[] {
  const kept: string[] = [];
  for (const segment of path) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  return kept;
}

function written(reading: readonly string[]): string {
  return reading.map((segment) => `/${segment.replaceAll('/', '\0')}`).join('');
}
