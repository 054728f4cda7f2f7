/**
 * The ways in which a framework might read a request's path, each as lower-case, decoded, non-empty segments. Usually
 * one. There are more when a path holds encoded slashes, dot segments or `;`: frameworks differ over these, and the
 * policy must hold for every one of them.
 */
export function pathReadings(path: string): readonly (readonly string[])[] {
  const bare = path.replace(/[?#].*$/s, '').toLowerCase();
  const plain = segments(bare).map(decode);
  if (!/[%;]|(?:^|\/)\.\.?(?:\/|$)/.test(bare)) return [plain];
  const spellings = [bare, bare.replace(/;[^/]*/g, ''), bare.replace(/;.*$/s, '')];
  const split = spellings.flatMap((text) => [segments(text).map(decode), segments(decode(text))]);
  return distinct([...split, ...split.map(withoutDots)]);
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
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
  return [...new Map(readings.map((reading) => [reading.join('/'), reading])).values()];
}
