/** Scheme and authority of a request target in absolute form (RFC 9112 §3.2.2), which frameworks route by its path. */
const ORIGIN = /^[a-z][a-z\d+.-]*:(?:[/\\]{2}[^/\\?#]*)?/i;
/** A path that is read in one way, and as it stands: nearly all of them. No segment begins with a dot. */
const PLAIN = /^(?:\/[\w~-][\w.~-]*)+$/;
/** What makes a path readable in more than one way. */
const AMBIGUOUS = /[%;\\]|(?:^|\/)\.\.?(?:\/|$)/;

/**
 * The ways in which a framework might read a request's path, each as lower-case, non-empty segments. Usually one.
 * There are more when a path holds percent-encoding, backslashes, dot segments or `;`: frameworks differ over these
 * (Express matches literal segments undecoded, Fastify decoded), and the policy must hold for every one of them.
 */
export function pathReadings(path: string): readonly (readonly string[])[] {
  if (PLAIN.test(path)) return [plainSegments(path.toLowerCase())];
  // Node's url.parse(), which Express and Koa route by, trims white space.
  const bare = path
    .trim()
    .replace(ORIGIN, '')
    .replace(/[?#].*$/s, '')
    .toLowerCase();
  if (!AMBIGUOUS.test(bare)) return [segments(bare)];
  const spellings = [bare, bare.replace(/;[^/]*/g, ''), bare.replace(/;.*$/s, '')];
  const raw = spellings.flatMap(withSlashes).map(segments);
  const decoded = raw.map((reading) => reading.map(decode));
  const split = [...raw, ...decoded, ...spellings.map(decode).flatMap(withSlashes).map(segments)];
  return distinct([...split, ...split.map(withoutDots)]);
}

/** Of a plain path. Three times as fast as `split`, and this is asked of every request. */
function plainSegments(path: string): string[] {
  const found: string[] = [];
  for (let start = 1; start > 0; ) {
    const end = path.indexOf('/', start);
    found.push(end === -1 ? path.slice(start) : path.slice(start, end));
    start = end + 1;
  }
  return found;
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

function distinct(readings: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return [...new Map(readings.map((reading) => [JSON.stringify(reading), reading])).values()];
}
