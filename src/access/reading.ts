/** How a credential is read: which split of the field and which token its code matches. Pure; the first factor comes after it. */

import { type Instant, seconds } from '../base/units.js';
import { matchOtp } from '../otp/match.js';
import { type Split, splits } from './credential.js';
import type { OtpFact } from './facts.js';
import type { ResourceFacts, TokenFacts } from './ports.js';
import type { Credential } from './request.js';

/** The split, and the token that its code matches with the step or counter at which. */
export type Reading =
  | { readonly otp: 'none'; readonly split: Split }
  | { readonly otp: Exclude<OtpFact, 'none'>; readonly split: Split; readonly token: TokenFacts; readonly at: number };

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
  state: { floor: 0, lastDatagram: null },
};

const UNREADABLE: readonly [Split] = [{ password: '', code: null }];
const WHOLE: Pick<ResourceFacts, 'credentialForms' | 'separator'> = { credentialForms: ['otp'], separator: '' };
const RANK: Readonly<Record<OtpFact, number>> = { none: 0, spent: 1, repeat: 2, fresh: 3 };

/**
 * Reads `credential` for `tokens` (those usable) under the policy of `resource` (null: none was found). Every candidate of every
 * token is computed for every split. A code that is fresh for one token and spent for another is fresh.
 */
export function readCredential(
  credential: Credential,
  resource: ResourceFacts | null,
  tokens: readonly TokenFacts[],
  datagram: string | null,
  now: Instant,
): Reading {
  const all = credential.kind === 'text' ? splits(credential.text, resource ?? WHOLE, tokens) : UNREADABLE;
  let best: Reading = { otp: 'none', split: all[0] };
  for (const split of all) {
    if (tokens.length === 0) matchOtp(DUMMY, split.code, now);
    for (const token of tokens) {
      const match = matchOtp(token, split.code, now);
      if (match.kind === 'none') continue;
      const otp = match.kind === 'spent' && isRepeat(token, match.at, datagram) ? 'repeat' : match.kind;
      if (RANK[otp] > RANK[best.otp]) best = { otp, split, token, at: match.at };
    }
  }
  return best;
}

/** The node died between commit and answer, and the NAS sent the same datagram again: the consumption was for this very request. */
const isRepeat = (token: TokenFacts, at: number, datagram: string | null): boolean =>
  datagram !== null && token.state.lastDatagram === datagram && at === token.state.floor - 1;
