import { pathReadings } from './operation-path.js';

/** One template of a router: `/v2/payment_sessions/:id`. */
export interface Route<Target> {
  readonly method: string;
  readonly template: string;
  readonly target: Target;
}

/** The routes of a method. */
interface Routes<Target> {
  readonly root: Node<Target>;
  /** Those without a parameter, by their path: found without taking it apart. */
  readonly literal: Map<string, Route<Target>>;
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
  readonly #methods = new Map<string, Routes<Target>>();

  /** Adds a route. Returns the route that is already there for the same requests, if there is one. */
  add(route: Route<Target>): Route<Target> | undefined {
    const readings = pathReadings(route.template);
    const [path = []] = readings;
    const routes = this.#methods.get(route.method) ?? { root: new Node<Target>(), literal: new Map() };
    this.#methods.set(route.method, routes);
    const node = path.reduce(child, routes.root);
    if (node.route) return node.route;
    node.route = route;
    if (readings.length === 1 && !path.some(isParameter)) routes.literal.set(`/${path.join('/')}`, route);
    return undefined;
  }

  /** Every route that some reading of the path leads to, without repetition. More than one means: ambiguous. */
  find(method: string, path: string): Route<Target>[] {
    const name = method.toUpperCase();
    const routes = this.#methods.get(name === 'HEAD' ? 'GET' : name);
    if (!routes) return [];
    const { root, literal } = routes;
    const exact = literal.get(path.toLowerCase());
    if (exact) return [exact];
    const [reading = [], ...others] = pathReadings(path);
    const first = walk(root, reading, 0);
    if (others.length === 0) return first ? [first] : [];
    const found = [first, ...others.map((other) => walk(root, other, 0))];
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

function walk<Target>(node: Node<Target>, path: readonly string[], depth: number): Route<Target> | undefined {
  const segment = path[depth];
  if (segment === undefined) return node.route;
  const literal = node.literals?.get(segment);
  return (
    (literal && walk(literal, path, depth + 1)) ?? (node.parameter && walk(node.parameter, path, depth + 1))
  );
}
