import { expect, test } from 'vitest';
import { RequestLog } from './log.js';

const REQUEST = { method: 'POST', path: '/', head: '', body: Buffer.alloc(0) };

test('the log holds no more than the last 200, however many are under way at a time', () => {
  const log = new RequestLog();
  for (let round = 0; round < 3; round += 1) {
    const arrived = Array.from({ length: 600 }, () => log.arrived('a', REQUEST));
    for (const entry of arrived) log.answered('a', entry, 200, Buffer.alloc(0));
  }
  expect(log.entries().map(({ id }) => id)).toEqual(Array.from({ length: 200 }, (_, i) => 1601 + i));
  expect(log.entries().every((entry) => 'status' in entry)).toBe(true);
});

test('whoever follows hears what it has missed, of its own session', () => {
  const log = new RequestLog();
  const [first] = ['a', 'b', 'a'].map((session) => log.arrived(session, REQUEST));
  const heard: number[] = [];
  const unfollow = log.follow('a', ({ id }) => heard.push(id), first?.id);
  log.arrived('a', REQUEST);
  unfollow();
  log.arrived('a', REQUEST);
  expect(heard).toEqual([3, 4]);
});
