import { hash } from '@node-rs/argon2';
import { describe, expect, test } from 'vitest';
import { HashingQueue, hashingLimits } from '../../src/first-factor/hashing-queue.js';
import { hashPassword, isAcceptableHash, tryHashPassword, verifyPassword } from '../../src/first-factor/password.js';

const PHC = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY';

describe('a password', () => {
  test('is kept as argon2id with the parameters that OWASP asks for, salted anew each time', async () => {
    const [first, second] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(first).not.toBe(second);
    expect(await verifyPassword(first, 'correct horse')).toBe(true);
    expect(await verifyPassword(first, 'correct  horse')).toBe(false);
  });

  test('is the same however its accents are composed', async () => {
    expect(await verifyPassword(await hashPassword('Zo\u00eb'), 'Zoe\u0308')).toBe(true);
  });

  test('of nobody is wrong, whatever it is', async () => {
    expect(await verifyPassword(null, '')).toBe(false);
    expect(await verifyPassword(null, 'correct horse')).toBe(false);
  });

  test('whose hash costs too much to check is wrong, and costs no more than any other', async () => {
    const dear = await hash('correct horse', { memoryCost: 1024, timeCost: 600 });
    expect(isAcceptableHash(dear)).toBe(false);
    expect(await verifyPassword(dear, 'correct horse')).toBe(false);
  });

  test('with another’s parameters, within bounds, is right', async () => {
    const brought = await hash('correct horse', { memoryCost: 8192, timeCost: 3, parallelism: 2 });
    expect(isAcceptableHash(brought)).toBe(true);
    expect(await verifyPassword(brought, 'correct horse')).toBe(true);
  });
});

describe('a hash that is brought', () => {
  test.each([
    [PHC, true],
    [PHC.replace('argon2id', 'argon2i'), false],
    [PHC.replace('v=19', 'v=16'), false],
    [PHC.replace('m=19456', 'm=4194304'), false],
    [PHC.replace('t=2', 't=4000000000'), false],
    [PHC.replace('p=1', 'p=255'), false],
    [PHC.replace('m=19456,t=2,p=1', 'm=8,t=1,p=4'), false],
    [PHC.replace('c2FsdHNhbHRzYWx0c2FsdA', 'c2E'), false],
    [PHC.replace(/\$[^$]*$/, '$MDEyMw'), false],
    [`${PHC}${'A'.repeat(1000)}`, false],
    ['$2b$12$abcdefghijklmnopqrstuv', false],
    ['$argon2id$v=19$', false],
    ['correct horse', false],
    ['', false],
  ])('%s is acceptable: %s', (phc, acceptable) => {
    expect(isAcceptableHash(phc)).toBe(acceptable);
  });
});

describe('the queue for hashing', () => {
  test('lets so many run and so many wait, and turns the rest away at once', async () => {
    const queue = new HashingQueue({ running: 1, waiting: 2 });
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const order: number[] = [];
    const task = (n: number) => () => held.then(() => order.push(n));
    const accepted = [queue.run(task(1)), queue.run(task(2)), queue.run(task(3))];
    expect(await queue.run(task(4))).toBeNull();
    expect(await tryHashPassword('x', queue)).toBeNull();
    expect(await verifyPassword(PHC, 'x', queue)).toBeNull();
    release();
    await Promise.all(accepted);
    expect(order).toEqual([1, 2, 3]);
    expect(await tryHashPassword('x', queue)).toMatch(/^\$argon2id/);
  });

  test('never runs more at once than it may, and goes on after a failure', async () => {
    const queue = new HashingQueue({ running: 2, waiting: 100 });
    let running = 0;
    let most = 0;
    const work = async (fails: boolean) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (fails) throw new Error('no');
    };
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => queue.run(() => work(i % 3 === 0))));
    expect(most).toBe(2);
    expect(results.filter((result) => result.status === 'rejected')).toHaveLength(7);
    expect(await queue.run(async () => 'still here')).toBe('still here');
  });

  test.each([
    [undefined, 2],
    ['4', 2],
    ['16', 8],
    ['1', 1],
    ['nonsense', 2],
    ['0', 2],
  ])('with UV_THREADPOOL_SIZE=%s hashing has %d threads', (size, running) => {
    expect(hashingLimits(size).running).toBe(running);
  });
});
