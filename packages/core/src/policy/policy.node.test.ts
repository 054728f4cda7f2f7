import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../test/runs.js';
import { definePolicy } from './define-policy.js';
import type { PolicyDocument } from './policy.js';

const SESSIONS = 'POST /v2/payment_sessions';
const ONE_SESSION = 'GET /v2/payment_sessions/:id';
const MANDATES = 'POST /v2/mandates';
const NEW_SESSION = 'GET /v2/payment_sessions/new';
const DOCUMENT: PolicyDocument = Object.fromEntries(
  [SESSIONS, ONE_SESSION, MANDATES, NEW_SESSION].map((name) => [name, { payee: { response: 'redact' } }]),
);

/** As much of an Express router as a test without sockets needs. */
type TestRouter = ((request: object, response: object, next: () => void) => void) &
  Record<'get' | 'post', (path: string, handler: (request: { reached?: string }) => void) => void>;

/** The frameworks that packages/express supports; core itself depends on none. */
const fromExpress = createRequire(new URL('../../../express/package.json', import.meta.url));
const EXPRESS = [
  ['Express 5', 'express'],
  ['Express 4', 'express4'],
] as const;

/** Spellings of the paths above, good, bad and hostile. */
const spelling = fc
  .record({
    origin: fc.constantFrom('', '', '', '', 'http://host', 'foo://a:b@host:1', '/', '\\'),
    // Chosen first, so that most samples are near a path that is routed.
    segments: fc.constantFrom(
      ['v2', 'payment_sessions'],
      ['v2', 'mandates'],
      ['v2', 'payment_sessions', 'new'],
      ['v2', 'payment_sessions', 'a7'],
      ['v2', 'payment_sessions', 'a%2Fb'],
      ['v2', 'payment_sessions', '..'],
      ['v2', 'payment_sessions', '.'],
      ['v2', 'payment_sessions', ';x'],
      ['v2', 'payment_sessions', 'new;x'],
      ['v2', 'payment_sessions', '%E0%A4%A'],
      ['v2', 'payment_sessions', '__proto__'],
    ),
    separator: fc.constantFrom('/', '/', '/', '/', '\\', '//', '%2f'),
    casing: fc.infiniteStream(fc.constantFrom('upper', 'lower', 'lower', 'lower', 'lower', 'encoded')),
    casingUsed: fc.boolean(),
    end: fc.constantFrom(
      '',
      '',
      '/',
      '//',
      '?',
      '?a=/v2/mandates',
      '#',
      '#x',
      ';x',
      '/.',
      '/..',
      '%20',
      '\\',
      ' x',
      '\u00a0',
    ),
  })
  .map(({ origin, segments, separator, casing, casingUsed, end }) => {
    const letters = [...segments.join(separator)];
    const spelled = casingUsed
      ? letters.map((letter) => respelled(letter, String(casing.next().value)))
      : letters;
    return origin + (origin === '\\' ? '' : separator) + spelled.join('') + end;
  });

function respelled(letter: string, how: string): string {
  if (how === 'upper') return letter.toUpperCase();
  const isEncodable = how === 'encoded' && /[a-z_]/.test(letter);
  return isEncodable ? `%${letter.charCodeAt(0).toString(16)}` : letter;
}

describe.each(EXPRESS)('Policy.match beside the router of %s', (_, packageName) => {
  const policy = definePolicy(DOCUMENT);
  const { Router }: { Router: () => TestRouter } = fromExpress(packageName);
  const router = Router();
  // Literals first, as whoever wants them to be reachable has to register them.
  for (const name of [NEW_SESSION, SESSIONS, MANDATES, ONE_SESSION]) {
    const [method = '', path = ''] = name.split(' ');
    router[method === 'GET' ? 'get' : 'post'](path, (request) => {
      request.reached = name;
    });
  }

  function routed(method: string, url: string): string | undefined {
    const request: { method: string; url: string; reached?: string } = { method, url };
    router(request, {}, () => {});
    return request.reached;
  }

  it('covers every request that reaches a handler, by the operation of that handler, or refuses it', () => {
    let reached = 0;
    fc.assert(
      fc.property(fc.constantFrom('GET', 'POST', 'HEAD'), spelling, (method, url) => {
        const handler = routed(method, url);
        if (handler === undefined) return;
        reached += 1;
        try {
          expect(policy.match(method, url)?.name).toBe(handler);
        } catch (error) {
          expect(error).toMatchObject({ code: 'operation_refused' });
        }
      }),
      runs(4_000, 11),
    );
    expect(reached).toBeGreaterThan(400); // or the property would say nothing
  });

  it.each([
    ['POST', '/V2/PAYMENT_SESSIONS/', SESSIONS],
    ['POST', '/v2\\payment_sessions#x', SESSIONS],
    ['POST', 'http://host/v2/payment_sessions', SESSIONS],
    ['GET', '/v2/payment_sessions/a%2Fb', ONE_SESSION],
    ['HEAD', '/v2/payment_sessions/7', ONE_SESSION],
  ])('agrees with it that %s %s is %s', (method, url, name) => {
    expect(routed(method, url)).toBe(name);
    expect(policy.match(method, url)?.name).toBe(name);
  });
});
