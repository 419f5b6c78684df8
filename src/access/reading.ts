/** How a credential is read: which split of the field and which token its code matches. Pure; the first factor comes after it. */

import { type Instant, seconds } from '../base/units.js';
import { hotp } from '../otp/hotp.js';
import { matchOtp } from '../otp/match.js';
import { type Split, splits } from './credential.js';
import type { OtpFact } from './facts.js';
import { type Grace, isWithinGrace } from './grace.js';
import type { ResourceFacts, TokenFacts } from './ports.js';
import type { Credential } from './request.js';

/** Why a spent code is accepted again. */
export type Repeat = 'same datagram' | 'within grace';

/** The split, and the token that its code matches with the step or counter at which. */
export type Reading =
  | { readonly otp: 'none'; readonly split: Split }
  | {
      readonly otp: 'fresh' | 'spent';
      readonly split: Split;
      readonly token: TokenFacts;
      readonly at: number;
    }
  | { readonly otp: 'repeat'; readonly repeat: Repeat; readonly split: Split };

/** Computed for those who have no token, so that they take as long. Never matches anything that counts: it belongs to nobody. */
const DUMMY: TokenFacts = {
  pk: 0,
  id: '',
  type: 'totp',
  key: Buffer.alloc(20),
  algorithm: 'SHA1',
  digits: 6,
  period: seconds(30),
  active: false,
  resources: [],
  state: { floor: 0, lastDatagram: null, lastGrace: null },
};

const UNREADABLE: readonly [Split] = [{ password: '', code: null }];
const WHOLE: Pick<ResourceFacts, 'credentialForms' | 'separator'> = { credentialForms: ['otp'], separator: '' };
const RANK: Readonly<Record<OtpFact, number>> = { none: 0, spent: 1, repeat: 2, fresh: 3 };

/**
 * Reads `credential` for `tokens` (those usable) under the policy of `resource` (null: none was found). Every candidate of every
 * token is computed for every split. A code that is fresh for one token and spent for another is fresh. `grace` is what the
 * request may be accepted again by (null: nothing).
 */
export function readCredential(
  credential: Credential,
  resource: ResourceFacts | null,
  tokens: readonly TokenFacts[],
  datagram: string | null,
  grace: Grace | null,
  now: Instant,
): Reading {
  const all = credential.kind === 'text' ? splits(credential.text, resource ?? WHOLE, tokens) : UNREADABLE;
  let best: Reading = { otp: 'none', split: all[0] };
  for (const split of all) {
    if (tokens.length === 0) matchOtp(DUMMY, split.code, now);
    for (const token of tokens) {
      const read = readCode(token, split, datagram, grace, now);
      if (RANK[read.otp] > RANK[best.otp]) best = read;
    }
  }
  return best;
}

function readCode(
  token: TokenFacts,
  split: Split,
  datagram: string | null,
  grace: Grace | null,
  now: Instant,
): Reading {
  const match = matchOtp(token, split.code, now);
  if (match.kind === 'fresh') return { otp: 'fresh', split, token, at: match.at };
  if (match.kind === 'spent' && isSameDatagram(token, match.at, datagram))
    return { otp: 'repeat', repeat: 'same datagram', split };
  if (isGranted(token, split.code, grace, now)) return { otp: 'repeat', repeat: 'within grace', split };
  return match.kind === 'spent' ? { otp: 'spent', split, token, at: match.at } : { otp: 'none', split };
}

/** The node died between commit and answer, and the NAS sent the same datagram again: the consumption was for this very request. */
const isSameDatagram = (token: TokenFacts, at: number, datagram: string | null): boolean =>
  datagram !== null && token.state.lastDatagram === datagram && at === token.state.floor - 1;

/**
 * The whole credential is the one that was accepted, and the code in this split is what it consumed. A grace may outlast the steps
 * that a code can match, so it is compared with that one position and not with the match.
 */
const isGranted = (
  { algorithm, key, digits, state }: TokenFacts,
  code: string | null,
  grace: Grace | null,
  now: Instant,
) => isWithinGrace(state.lastGrace, grace, now) && code === hotp(algorithm, key, digits, state.floor - 1);
