import { expect, test } from 'vitest';
import { decisionOf } from '../../src/access/entry.js';
import type { Facts } from '../../src/access/facts.js';
import { committedProof } from '../../src/access/ports.js';
import { instant } from '../../src/base/units.js';
import { aResource, aToken, aUser, NOW } from './world.js';

const FACTS: Facts = {
  now: NOW,
  user: aUser(),
  resource: aResource(),
  method: 'pap',
  source: null,
  lockedUntil: instant(0),
  password: 'none',
  tokens: [aToken()],
  otp: 'fresh',
};

test('nobody is accepted into nothing, whatever the rules are made to say', () => {
  const accepted = { reason: null, verdicts: [] };
  const proof = committedProof('event-1');
  expect(decisionOf(accepted, FACTS, proof).outcome).toBe('accepted');
  expect(() => decisionOf(accepted, { ...FACTS, user: null }, proof)).toThrow('without a user');
  expect(() => decisionOf(accepted, { ...FACTS, resource: null }, proof)).toThrow('without a user or a resource');
});
