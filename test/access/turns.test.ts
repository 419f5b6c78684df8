import { expect, test } from 'vitest';
import { makeTurns } from '../../src/access/turns.js';

test('the first has its turn now, the others in the order in which they came', async () => {
  const turns = makeTurns(5);
  const order: number[] = [];
  expect(turns.take(1)).toBe('now');
  const waiting = [1, 2, 3].map(async (nth) => {
    await turns.take(1);
    order.push(nth);
    turns.release(1);
  });
  expect(order).toEqual([]);
  turns.release(1);
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
  expect(turns.take(1)).toBe('now');
});

test('another user does not wait', () => {
  const turns = makeTurns(5);
  expect(turns.take(1)).toBe('now');
  expect(turns.take(2)).toBe('now');
});

test('the line is bounded, and has room again when one has gone', async () => {
  const turns = makeTurns(2);
  turns.take(1);
  const first = turns.take(1);
  expect(turns.take(1)).toBeInstanceOf(Promise);
  expect(turns.take(1)).toBe('full');
  turns.release(1);
  await first;
  expect(turns.take(1)).toBeInstanceOf(Promise);
  expect(turns.take(1)).toBe('full');
});
