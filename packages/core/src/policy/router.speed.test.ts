import { expect, it } from 'vitest';
import { fastest } from '../../test/fastest.js';
import { Router } from './router.js';

it('finds a route among 10,000 about as fast as among 10', () => {
  const many = (count: number): Router<string> => {
    const made = new Router<string>();
    for (let i = 0; i < count; i += 1)
      made.add({ method: 'GET', template: `/v2/things_${i}/:id`, target: `things ${i}` });
    return made;
  };
  const time = (routes: Router<string>, last: number): number =>
    fastest(() => {
      for (let i = 0; i < 2_000; i += 1) routes.find('GET', `/v2/things_${last}/7`);
    }, 7);
  const [few, lots] = [many(10), many(10_000)];
  expect(lots.find('GET', '/v2/things_9999/7').map(({ target }) => target)).toEqual(['things 9999']);
  time(few, 9);
  // A list of routes would take about 1,000 times as long.
  expect(time(lots, 9_999) / time(few, 9)).toBeLessThan(15);
});
