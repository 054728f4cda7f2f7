import { expect, it } from 'vitest';
import { type Bar, barChart, figure } from './chart.js';

const bar = (label: string, value: number): Bar => ({
  label,
  value,
  low: value * 0.9,
  high: value * 1.1,
  kind: 'ours',
});
const chart = (...bars: Bar[]) =>
  barChart({ title: 'A & B', description: 'Both.', unit: 'per second', bars });

it('draws bars in proportion to their values, all within the picture', () => {
  const svg = chart(bar('one', 100), bar('half', 50));
  const [first = 0, second = 0] = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  );
  expect(first / second).toBeCloseTo(2);
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(760);
});

it('says in words what it shows, and writes every value beside its bar', () => {
  const svg = chart(bar('one', 1234.5));
  expect(svg).toContain('<title id="title">A &#38; B</title>');
  expect(svg).toMatch(/<desc id="desc">Both\. one: 1,235 per second\.<\/desc>/);
  expect(svg).toMatch(/>1,235<\/text>/);
});

it('keeps the text of labels from being markup', () => {
  expect(chart(bar('<script>"&', 1))).not.toContain('<script>');
});

it('follows the theme of the reader', () => {
  expect(chart(bar('one', 1))).toContain('@media (prefers-color-scheme: dark)');
});

it('writes the digits of a figure that count', () => {
  expect([1234567, 123.4, 12.34, 0.98765, 0, Number.NaN].map(figure)).toEqual([
    '1,234,567',
    '123',
    '12.3',
    '0.988',
    '0',
    '–',
  ]);
});
