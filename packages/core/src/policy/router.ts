import { pathReadings } from './operation-path.js';

/** One template of a router: `/v2/payment_sessions/:id`. */
export interface Route<Target> {
  readonly method: string;
  readonly template: string;
  readonly target: Target;
}

/** All of one shape, which V8 reads fastest. */
class Node<Target> {
  literals: Map<string, Node<Target>> | undefined = undefined;
  parameter: Node<Target> | undefined = undefined;
  route: Route<Target> | undefined = undefined;
}

/**
 * Finds the operation of a request, at least as widely as frameworks route: letter case, doubled and trailing slashes,
 * percent-encoding, dot segments, the query and HEAD for GET make no difference. A literal segment goes before a
 * parameter. The time depends on the length of the path, not on the number of routes.
 */
export class Router<Target> {
  readonly #methods = new Map<string, Node<Target>>();

  /** Adds a route. Returns the route that is already there for the same requests, if there is one. */
  add(route: Route<Target>): Route<Target> | undefined {
    const [path = ''] = pathReadings(route.template);
    const root = this.#methods.get(route.method) ?? new Node<Target>();
    this.#methods.set(route.method, root);
    const node = path.split('/').slice(1).reduce(child, root);
    if (node.route) return node.route;
    node.route = route;
    return undefined;
  }

  /** Every route that some reading of the path leads to, without repetition. More than one means: ambiguous. */
  find(method: string, path: string): Route<Target>[] {
    const name = method.toUpperCase();
    const root = this.#methods.get(name === 'HEAD' ? 'GET' : name);
    if (!root) return [];
    const [reading = '', ...others] = pathReadings(path);
    const first = walk(root, reading, 1);
    if (others.length === 0) return first ? [first] : [];
    const found = [first, ...others.map((other) => walk(root, other, 1))];
    return [...new Set(found.filter((route) => route !== undefined))];
  }
}

export function isParameter(segment: string): boolean {
  return segment.startsWith(':');
}

function child<Target>(node: Node<Target>, segment: string): Node<Target> {
  if (isParameter(segment)) {
    node.parameter ??= new Node();
    return node.parameter;
  }
  node.literals ??= new Map();
  const known = node.literals.get(segment);
  if (known) return known;
  const made = new Node<Target>();
  node.literals.set(segment, made);
  return made;
}

/** Goes on from a node with the segments of a path from `start` on. */
function walk<Target>(node: Node<Target>, path: string, start: number): Route<Target> | undefined {
  if (start > path.length) return node.route;
  const slash = path.indexOf('/', start);
  const end = slash === -1 ? path.length : slash;
  const literal = node.literals?.get(path.slice(start, end));
  return (literal && walk(literal, path, end + 1)) ?? (node.parameter && walk(node.parameter, path, end + 1));
}
