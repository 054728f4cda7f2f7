import { E2eeError } from '../errors.js';
import { parseFieldPath } from '../fields/path.js';
import { buildFieldTree, type FieldRule, OverlapError } from '../fields/tree.js';
import {
  type DirectionRules,
  type Operation,
  Policy,
  type PolicyDocument,
  type PolicyRow,
  type PolicyRows,
} from './policy.js';
import { isParameter, type Route, Router } from './router.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'] as const;

/** Every member that a row may have, and what it may be. */
const ROW_MEMBERS: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  ['sensitivity', ['low', 'medium', 'high']],
  ['request', ['encrypt', 'none']],
  ['response', ['encrypt', 'redact', 'redact-or-encrypt', 'none']],
  ['as', ['json', 'text']],
  ['required', [true, false]],
]);

/**
 * Compiles a policy: which fields of which operations are encrypted or redacted, in which direction.
 *
 * An operation is a method and a path template (`GET /v2/payment_sessions/:id`; HEAD is covered by GET). Two field paths
 * of one operation must not overlap in the same direction, unless the narrower one is `none`: an exception to `*`.
 *
 * Throws `policy_invalid` naming the operation, the field path and the mistake. The JSON Schema of the document is
 * `@e2ee/core/schema/policy.json`.
 *
 * @example
 * const policy = definePolicy({
 *   'POST /v2/payment_sessions': {
 *     payee: { sensitivity: 'high', request: 'encrypt', response: 'redact-or-encrypt' },
 *   },
 * })
 */
export function definePolicy(policy: PolicyDocument | Policy): Policy {
  if (policy instanceof Policy) return policy;
  const document = snapshot(policy);
  const router = new Router<Operation>();
  const operations = Object.entries(document).map(([name, rows]) => {
    const operation = compileOperation(name, rows);
    const same = router.add({ method: operation.method, template: operation.template, target: operation });
    if (same) invalid(name, `covers the same requests as \`${same.target.name}\``);
    return operation;
  });
  return new Policy(document, operations, router);
}

/**
 * A policy that covers every request: with `rows`, and with what `policy` says of the operation that the request is.
 * Where both have a row for a field path, each member that `rows` mentions counts. `name` names what `policy` does not
 * know.
 *
 * Throws `policy_invalid`; `match` does, too, for rows that contradict the policy.
 */
export function bindPolicy(policy: Policy, name: string, rows: PolicyRows): Policy {
  const document = snapshot({ [name]: rows });
  const own = document[name] as PolicyRows; // the only one
  const everything = { name, method: '*', template: '*' };
  const operation = compileRows(everything, own);
  const combined = new Map<Operation, Operation>();
  const combine = (base: Operation): Operation => {
    const found = combined.get(base) ?? compileRows(base, mergedRows(policy.document[base.name], own));
    combined.set(base, found);
    return found;
  };
  const find = (method: string, path: string): Route<Operation>[] => {
    const base = policy.match(method, path);
    return [{ ...everything, target: base ? combine(base) : operation }];
  };
  return new Policy(document, [operation], { find });
}

/** Rows on top of others: member by member, so that what a row does not mention stays protected. */
export function mergedRows(base: PolicyRows = {}, own: PolicyRows = {}): PolicyRows {
  const merged = Object.entries(own).map(([path, row]) => [path, { ...base[path], ...row }]);
  return { ...base, ...Object.fromEntries(merged) };
}

/** A frozen copy, so that what the caller changes later changes nothing here. */
function snapshot(policy: PolicyDocument): PolicyDocument {
  if (!isRecord(policy)) throw new E2eeError('policy_invalid', 'A policy is an object of operations');
  const copy = Object.entries(policy).map(([name, rows]) => {
    if (!isRecord(rows)) invalid(name, 'must be an object of field paths');
    const rowCopies = Object.entries(rows).map(([path, row]) => {
      if (!isRecord(row)) invalid(`${name} → ${path}`, 'must be an object such as { request: "encrypt" }');
      return [path, Object.freeze({ ...row })];
    });
    return [name, Object.freeze(Object.fromEntries(rowCopies))];
  });
  return Object.freeze(Object.fromEntries(copy));
}

function compileOperation(name: string, rows: PolicyRows): Operation {
  const [method, template] = parseOperation(name);
  return compileRows({ name, method, template }, rows);
}

function compileRows(
  { name, method, template }: Pick<Operation, 'name' | 'method' | 'template'>,
  rows: PolicyRows,
): Operation {
  for (const [path, row] of Object.entries(rows)) checkRow(`${name} → ${path}`, path, row);
  return Object.freeze({
    name,
    method,
    template,
    request: compileDirection(name, rows, 'request'),
    response: compileDirection(name, rows, 'response'),
  });
}

function parseOperation(name: string): [method: string, template: string] {
  const [method = '', template = '', ...rest] = name.split(' ');
  if (rest.length > 0 || !template.startsWith('/')) {
    invalid(
      name,
      'is not an operation: write a method, one space and a path, such as `POST /v2/payment_sessions`',
    );
  }
  if (method === 'HEAD') invalid(name, 'has the method HEAD, which GET covers');
  if (!METHODS.some((known) => known === method))
    invalid(name, `has an unknown method; known are ${METHODS.join(', ')}`);
  for (const segment of template.slice(1).replace(/\/$/, '').split('/')) {
    const valid = isParameter(segment) ? /^:[A-Za-z_]\w*$/.test(segment) : /^[\w.~@!$&',=-]*$/.test(segment);
    const dots = segment === '.' || segment === '..';
    if (!valid || dots || (segment === '' && template !== '/')) {
      invalid(
        name,
        `has a bad path segment \`${segment}\`: only plain segments and \`:parameters\` are understood`,
      );
    }
  }
  return [method, template];
}

function checkRow(place: string, path: string, row: PolicyRow): void {
  for (const [member, value] of Object.entries(row)) {
    const choices = ROW_MEMBERS.get(member);
    if (!choices)
      invalid(place, `has an unknown member \`${member}\`; known are ${[...ROW_MEMBERS.keys()].join(', ')}`);
    if (value !== undefined && !choices.includes(value)) {
      const known = choices.map((choice) => JSON.stringify(choice)).join(', ');
      invalid(place, `has a bad \`${member}\`: it must be one of ${known}`);
    }
  }
  if (path === '$' && row.as === 'text') invalid(place, 'cannot be `as: "text"`: a whole body is JSON');
  if (row.required && row.request !== 'encrypt')
    invalid(place, 'is `required` but not encrypted in requests');
}

function compileDirection(
  name: string,
  rows: Readonly<Record<string, PolicyRow>>,
  direction: 'request' | 'response',
): DirectionRules {
  const rules = Object.entries(rows).flatMap(([path, row]): FieldRule[] => {
    const segments = parsePath(`${name} → ${path}`, path);
    const treatment = row[direction];
    if (treatment === undefined) return [];
    return [{ path, segments, treatment, as: row.as ?? 'json', required: row.required ?? false }];
  });
  const treating = rules.filter(({ treatment }) => treatment !== 'none');
  const fields = buildTree(name, direction, rules);
  const whole = treating.find(({ segments }) => segments.length === 0);
  return Object.freeze({
    ...(whole && { whole }),
    fields,
    treats: treating.length > 0,
    required: direction === 'request' ? treating.filter(({ required }) => required) : [],
  });
}

function parsePath(place: string, path: string): FieldRule['segments'] {
  try {
    return parseFieldPath(path);
  } catch (error) {
    return invalid(place, `is not a field path: ${(error as Error).message}`);
  }
}

function buildTree(name: string, direction: string, rules: readonly FieldRule[]): DirectionRules['fields'] {
  try {
    return buildFieldTree(rules);
  } catch (error) {
    if (!(error instanceof OverlapError)) throw error;
    return invalid(name, `is contradictory for the ${direction}: ${error.message}`);
  }
}

function isRecord(value: unknown): value is Record<string, never> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(place: string, why: string): never {
  throw new E2eeError('policy_invalid', `Policy: \`${place}\` ${why}`);
}
