import { E2eeError, type E2eeErrorCode } from '../errors.js';
import type { JsonTemplate, Profile } from '../profiles/profile.js';
import { parsedJson } from './json-body.js';
import type { E2eeResponse } from './message.js';

/** What a template's placeholders stand for. */
interface Facts {
  readonly code: string;
  readonly message: string;
  readonly path: string;
  readonly status: string;
}

/** In seconds. What is out of reach may need long; a queue is soon shorter. */
const RETRY_AFTER_SECONDS = '30';
const SOONER: Partial<Record<E2eeErrorCode, string>> = { over_capacity: '1' };
/** What the peer learns of a failure on our side. */
const INTERNAL = 'The request could not be processed';

/** An error as the profile writes it. What is not for the peer's eyes is left out. */
export function errorAnswer(error: unknown, profile: Profile): E2eeResponse {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  if (!(error instanceof E2eeError))
    return { status: 500, headers, body: fill(profile, 500, 'internal', INTERNAL) };
  const { code, status, expose, message, path } = error;
  if (code === 'key_rejected')
    return { status: profile.keyRejection.status, headers, body: profile.keyRejection.body };
  const body = expose ? fill(profile, status, code, message, path) : fill(profile, status, code, INTERNAL);
  return {
    status,
    headers: status === 503 ? { ...headers, 'retry-after': SOONER[code] ?? RETRY_AFTER_SECONDS } : headers,
    body,
  };
}

/** The body of an error, as the profile writes it. */
export function errorBody(profile: Profile, status: number, code: string): unknown {
  return fill(profile, status, code, INTERNAL);
}

/** Whether a response is how the profile's provider says that it does not know our key. */
export function isKeyRejection(response: E2eeResponse, { keyRejection }: Profile): boolean {
  if (response.status !== keyRejection.status) return false;
  try {
    return includes(parsedJson(response.body), keyRejection.body);
  } catch {
    return false;
  }
}

function fill(profile: Profile, status: number, code: string, message: string, path = 'body'): unknown {
  const facts: Facts = { code, message, path, status: String(status) };
  return fillTemplate(profile.error, facts);
}

function fillTemplate(template: JsonTemplate, facts: Facts): unknown {
  if (typeof template === 'string') {
    return template.replace(/\{(code|message|path|status)\}/g, (_, name: keyof Facts) => facts[name]);
  }
  if (typeof template !== 'object' || template === null) return template;
  if (isList(template)) return template.map((item) => fillTemplate(item, facts));
  return Object.fromEntries(
    Object.entries(template).map(([name, item]) => [name, fillTemplate(item, facts)]),
  );
}

/** Whether a value has everything that the template has; more does not matter. */
function includes(value: unknown, template: JsonTemplate): boolean {
  if (typeof template !== 'object' || template === null) return value === template;
  if (typeof value !== 'object' || value === null) return false;
  if (isList(template)) {
    return (
      Array.isArray(value) && template.every((item) => value.some((candidate) => includes(candidate, item)))
    );
  }
  return Object.entries(template).every(
    ([name, item]) => Object.hasOwn(value, name) && includes((value as Record<string, unknown>)[name], item),
  );
}

function isList(template: object): template is readonly JsonTemplate[] {
  return Array.isArray(template);
}
