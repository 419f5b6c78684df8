import { beforeAll, describe, expect, test } from 'vitest';
import type { UserFacts } from '../../src/access/ports.js';
import { makeFirstFactors } from '../../src/first-factor/first-factors.js';
import { HashingQueue } from '../../src/first-factor/hashing-queue.js';
import { hashPassword } from '../../src/first-factor/password.js';

const user = (passwordHash: string | null): UserFacts => ({
  pk: 1,
  id: '0193554a-0000-7000-8000-000000000001',
  login: 'alice',
  active: true,
  revision: 1,
  passwordHash,
  resources: [],
  groups: [],
  tokens: [],
  lockouts: new Map(),
});
const factors = makeFirstFactors();
let alice: UserFacts;

beforeAll(async () => {
  alice = user(await hashPassword('correct horse'));
});

describe('the first factor local', () => {
  test('is right with the user’s password and wrong with any other', async () => {
    expect(await factors.check('local', alice, 'alice', 'correct horse')).toBe('right');
    expect(await factors.check('local', alice, 'alice', 'Correct horse')).toBe('wrong');
  });

  test('is wrong for nobody, for a user without a password, and without a password', async () => {
    expect(await factors.check('local', null, 'mallory', 'correct horse')).toBe('wrong');
    expect(await factors.check('local', user(null), 'bob', 'correct horse')).toBe('wrong');
    expect(await factors.check('local', user(await hashPassword('')), 'bob', '')).toBe('wrong');
  });

  test('says overload instead of keeping anybody waiting without bound', async () => {
    const busy = makeFirstFactors({ queue: new HashingQueue({ running: 0, waiting: 0 }) });
    expect(await busy.check('local', alice, 'alice', 'correct horse')).toBe('overload');
    expect(await busy.check('local', null, 'mallory', 'correct horse')).toBe('overload');
  });
});

test('a first factor that nobody configured is unavailable, never right', async () => {
  expect(await factors.check('corp', alice, 'alice', 'correct horse')).toBe('unavailable');
  expect(await factors.check('none', alice, 'alice', 'correct horse')).toBe('unavailable');
});
