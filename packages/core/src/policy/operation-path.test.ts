import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../test/runs.js';
import { pathReadings } from './operation-path.js';

/** Segments as a reading has them. */
function written(segments: readonly string[]): string {
  return segments.map((segment) => `/${segment.replace('/', '\0')}`).join('');
}

describe('pathReadings', () => {
  it.each([
    ['/v2/mandates', ['v2', 'mandates']],
    ['/V2/Mandates/', ['v2', 'mandates']],
    ['//v2///mandates', ['v2', 'mandates']],
    ['/v2/mandates?a=/b/../c#d', ['v2', 'mandates']],
    ['/v2/mandates#/x?y', ['v2', 'mandates']],
    ['', []],
    ['/', []],
    ['?a', []],
    ['/.well-known/..a/b.', ['.well-known', '..a', 'b.']],
    ['https://api.example.com/v2/mandates?x', ['v2', 'mandates']],
    ['HTTP://user:secret@host:8080', []],
    ['foo:/v2', ['v2']],
    [' /v2/mandates\u00a0', ['v2', 'mandates']],
  ])('reads %s in one way', (path, reading) => {
    expect(pathReadings(path)).toEqual([written(reading)]);
  });

  it.each([
    ['/v2/m%61ndates', ['v2', 'mandates']],
    ['/v2/m%61ndates', ['v2', 'm%61ndates']],
    ['/v2/%4Dandates', ['v2', 'mandates']],
    ['/v2/%c3%84', ['v2', 'ä']],
    ['/v2%2Fmandates', ['v2', 'mandates']],
    ['/v2%2Fmandates', ['v2/mandates']],
    ['/v2/a%2Fb', ['v2', 'a/b']],
    ['/v2/a%2Fb', ['v2', 'a', 'b']],
    ['/v2/./mandates', ['v2', 'mandates']],
    ['/v1/../v2/mandates', ['v2', 'mandates']],
    ['/../v2', ['v2']],
    ['/v2/%2e%2e/mandates', ['mandates']],
    ['/v2/%2E/mandates', ['v2', 'mandates']],
    ['/v2/..', ['v2', '..']],
    ['/v2/mandates;v=1', ['v2', 'mandates']],
    ['/v2;a=b/mandates;c/d', ['v2', 'mandates', 'd']],
    ['/v2/mandates;c/d', ['v2', 'mandates']],
    ['/v2/mandates;c/d', ['v2', 'mandates;c', 'd']],
    ['/v2\\mandates', ['v2', 'mandates']],
    ['/v2\\mandates', ['v2\\mandates']],
    ['\\v2\\..\\mandates', ['mandates']],
    ['/v2%5Cmandates', ['v2', 'mandates']],
  ])('reads %s also as %j', (path, reading) => {
    expect(pathReadings(path)).toContain(written(reading));
  });

  it('keeps what is not valid percent-encoding as it is', () => {
    expect(pathReadings('/v2/%zz')).toContain('/v2/%zz');
    expect(pathReadings('/v2/%ff/%61')).toContain('/v2/%ff/a');
  });

  it('never decodes twice', () => {
    expect(pathReadings('/v2/%2561')).not.toContain('/v2/a');
  });

  it('reads any string, in a bounded number of ways, none of them twice', () => {
    const texts = fc.string({
      unit: fc.constantFrom(
        '/',
        '\\',
        '.',
        '..',
        '%2f',
        '%2e',
        '%5c',
        ';',
        '%',
        'a',
        'B',
        '?',
        '#',
        ':',
        'http://',
      ),
    });
    fc.assert(
      fc.property(texts, (text) => {
        const readings = pathReadings(text);
        expect(readings.length).toBeGreaterThan(0);
        expect(readings.length).toBeLessThanOrEqual(36);
        expect(new Set(readings).size).toBe(readings.length);
        for (const reading of readings) {
          expect(reading).toBe(reading.toLowerCase());
          expect(reading).toMatch(/^(?:\/[^/]+)*$/);
        }
      }),
      runs(300),
    );
  });
});
