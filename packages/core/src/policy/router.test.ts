import { describe, expect, it } from 'vitest';
import { type Route, Router } from './router.js';

function router(...operations: string[]): Router<string> {
  const made = new Router<string>();
  for (const name of operations) made.add(route(name));
  return made;
}

function route(name: string): Route<string> {
  const [method = '', template = ''] = name.split(' ');
  return { method, template, target: name };
}

function targets(found: readonly Route<string>[]): string[] {
  return found.map(({ target }) => target);
}

describe('Router', () => {
  it('tells methods and numbers of segments apart', () => {
    const routes = router('GET /a', 'POST /a', 'GET /a/:id', 'GET /');
    expect(targets(routes.find('GET', '/a'))).toEqual(['GET /a']);
    expect(targets(routes.find('POST', '/a'))).toEqual(['POST /a']);
    expect(targets(routes.find('GET', '/a/7'))).toEqual(['GET /a/:id']);
    expect(targets(routes.find('GET', '/'))).toEqual(['GET /']);
    for (const [method, path] of [
      ['PUT', '/a'],
      ['GET', '/b'],
      ['GET', '/a/7/8'],
      ['POST', '/a/7'],
      ['POST', '/'],
    ] as const) {
      expect(routes.find(method, path), `${method} ${path}`).toEqual([]);
    }
  });

  it('goes to a literal segment before a parameter, in whatever order they were added', () => {
    for (const names of [
      ['GET /a/:id', 'GET /a/new'],
      ['GET /a/new', 'GET /a/:id'],
    ]) {
      const routes = router(...names);
      expect(targets(routes.find('GET', '/a/new'))).toEqual(['GET /a/new']);
      expect(targets(routes.find('GET', '/a/NEW/'))).toEqual(['GET /a/new']);
      expect(targets(routes.find('GET', '/a/newer'))).toEqual(['GET /a/:id']);
    }
  });

  it('comes back to a parameter when a literal leads nowhere', () => {
    const routes = router('GET /a/new/parts', 'GET /a/:id/items', 'GET /:x/new/other');
    expect(targets(routes.find('GET', '/a/new/items'))).toEqual(['GET /a/:id/items']);
    expect(targets(routes.find('GET', '/a/new/other'))).toEqual(['GET /:x/new/other']);
    expect(routes.find('GET', '/a/new/none')).toEqual([]);
  });

  it('routes HEAD like GET, and methods in any letter case', () => {
    const routes = router('GET /a', 'POST /b');
    for (const method of ['HEAD', 'head', 'get', 'Get'])
      expect(targets(routes.find(method, '/a'))).toEqual(['GET /a']);
    expect(targets(routes.find('post', '/b'))).toEqual(['POST /b']);
    expect(routes.find('HEAD', '/b')).toEqual([]);
  });

  it('returns the route that is already there for the same requests', () => {
    const routes = router('GET /a/:id');
    expect(routes.add(route('GET /A/:other/'))?.target).toBe('GET /a/:id');
    expect(routes.add(route('GET /a/b'))).toBeUndefined();
    expect(routes.add(route('PUT /a/:id'))).toBeUndefined();
    expect(targets(routes.find('GET', '/a/7'))).toEqual(['GET /a/:id']);
  });

  it('has no routes under the names of Object.prototype', () => {
    const routes = router('GET /a/:id');
    for (const path of ['/__proto__', '/constructor', '/a/x/toString', '/__proto__/constructor']) {
      expect(routes.find('GET', path), path).toEqual([]);
    }
    for (const method of ['__proto__', 'constructor', 'toString'])
      expect(routes.find(method, '/a/x')).toEqual([]);
  });

  it('can route segments called __proto__ and constructor', () => {
    const routes = router('GET /__proto__/:id', 'GET /constructor');
    expect(targets(routes.find('GET', '/__proto__/7'))).toEqual(['GET /__proto__/:id']);
    expect(targets(routes.find('GET', '/CONSTRUCTOR'))).toEqual(['GET /constructor']);
    expect(targets(router('GET /a/:id').find('GET', '/a/__proto__'))).toEqual(['GET /a/:id']);
  });

  it('returns every route that some reading of the path leads to', () => {
    const routes = router('GET /a', 'GET /a/:id', 'GET /b');
    expect(targets(routes.find('GET', '/a/.')).sort()).toEqual(['GET /a', 'GET /a/:id']);
    expect(targets(routes.find('GET', '/a/%2e')).sort()).toEqual(['GET /a', 'GET /a/:id']);
    expect(targets(routes.find('GET', '/b;x'))).toEqual(['GET /b']);
  });
});
