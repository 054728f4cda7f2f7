import { inspect } from 'node:util';
import { CANARY } from '../server/answers.js';

/** The canary in every form in which it may leak into bytes. */
const TRACES: readonly string[] = [
  CANARY,
  Buffer.from(CANARY).toString('hex'),
  ...['base64', 'base64url'].flatMap((encoding) =>
    // The same bytes read differently after none, one or two others; the outermost letters depend on those.
    [0, 1, 2].map((shift) =>
      Buffer.concat([Buffer.alloc(shift), Buffer.from(CANARY)])
        .toString(encoding as 'base64')
        .replaceAll('=', '')
        .slice(shift === 0 ? 0 : 4, -3),
    ),
  ),
  Buffer.from(CANARY, 'utf16le').toString('latin1'),
];

/** What of a text shows the canary, with what stands around it; nothing where it shows none. */
export function trace(text: string): string | undefined {
  const folded = text.toLowerCase();
  for (const form of TRACES) {
    const at = folded.indexOf(form.toLowerCase());
    if (at >= 0) return text.slice(Math.max(0, at - 200), at + 100);
  }
  return undefined;
}

/** Everything that logs and error reports make of a value that a client has returned or thrown. */
export function showings(value: unknown): string {
  const printed = inspect(value, { depth: value instanceof Error ? 5 : 2 }); // a console goes down 2
  if (!(value instanceof Error)) return printed;
  const { message, stack } = value;
  const json = [value, memberOf(value, 'config'), Reflect.get(value, 'toJSON')?.call(value)].map(jsonOf);
  return [printed, inspect(memberOf(value, 'cause')), message, stack, ...json].join('\n');
}

/** Every text that can be reached from an error, through accessors too. */
export function reachable(value: unknown, seen: Set<unknown> = new Set(), depth = 8): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value !== 'object' || value === null || seen.has(value) || depth === 0) return '';
  seen.add(value);
  const names =
    value instanceof Error ? ['message', 'stack', 'cause', ...Object.keys(value)] : Object.keys(value);
  return names.map((name) => `${name} ${reachable(memberOf(value, name), seen, depth - 1)}`).join('\n');
}

function memberOf(value: unknown, name: string): unknown {
  try {
    return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  } catch {
    return undefined; // an accessor that throws shows nothing
  }
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // a cycle: nothing is shown
  }
}
