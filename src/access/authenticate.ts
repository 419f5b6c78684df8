/**
 * The one decision behind every door. Gathers the records, asks the rules, has the first factor checked where all rules before it
 * hold, and answers only what the ledger has put on disk. Where directory and first factor answer at once, nothing is awaited
 * but the ledger.
 *
 *   look up ─▶ take the user's turn ─▶ read the credential ─▶ rules ─▶ first factor ─▶ rules ─▶ commit ─▶ answer
 *      ▲            │ had to wait            (pure)             │                                  │
 *      └────────────┴─────────── once more, fresh ◀─────────────┴── a refusal by state, shared ◀───┴── stale
 */
import { type Clock, type Instant, instant } from '../base/units.js';
import { decisionOf, ledgerEntry, type UnknownLogins } from './entry.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { type Facts, type PasswordFact, usableTokens } from './facts.js';
import { graceOf } from './grace.js';
import { LIMITS } from './limits.js';
import { lockedUntil } from './lockout.js';
import { nameCandidates } from './names.js';
import type {
  Directory,
  FeedPosition,
  FirstFactorResult,
  FirstFactors,
  Found,
  Ledger,
  ResourceFacts,
  UserFacts,
} from './ports.js';
import { type Reading, readCredential } from './reading.js';
import type { AccessRequest, Authenticate, Decision } from './request.js';
import { type Reason, RULES } from './rules.js';
import { makeTurns } from './turns.js';

export interface AuthenticateDeps {
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly firstFactors: FirstFactors;
  readonly clock: Clock;
  /** A monotonic clock in microseconds, for the event's duration. */
  readonly micros: () => number;
  /** An id for an event made at `now`. */
  readonly newId: (now: Instant) => string;
  /** A keyed hash of a wrong code or password. */
  readonly hashWrong: (text: string) => string;
  /** A keyed hash of a credential with who sent it from where; asked only where the resource has a grace for the door. */
  readonly hashGrace: (text: string) => string;
  readonly unknownLogins: UnknownLogins;
  /** Told of what was thrown or rejected: a store that cannot be read, or a bug of ours. The answer is `unavailable` either way. */
  readonly onError: (error: unknown) => void;
}

interface Records {
  readonly user: UserFacts | null;
  readonly resource: ResourceFacts | null;
  readonly position: FeedPosition;
}

/** A question to the first factor, and its answer: asked once in a decision, however often the rules are. */
interface Question {
  /** False where it is asked for the time that it takes alone. */
  readonly counts: boolean;
  readonly firstFactor: string;
  readonly user: UserFacts | null;
  readonly password: string;
}
interface Answered extends Question {
  readonly answer: FirstFactorResult;
}

const STORE: Decision = { outcome: 'unavailable', cause: 'store', eventId: null };
const OVERLOAD: Decision = { outcome: 'unavailable', cause: 'overload', eventId: null };
const NOT_LOCKED = instant(0);

/** Reasons that a token's or counter's state gives: where other nodes decide too, the state must have been read freshly. */
const BY_STATE: ReadonlySet<Reason | null> = new Set<Reason>(['wrong_otp', 'replayed_otp', 'locked', 'no_token']);
const FIRST_PASSWORD_RULE = RULES.findIndex((rule) => rule.reason === 'wrong_password');
/** Reasons after which the first factor is not asked. */
const BEFORE_PASSWORD: ReadonlySet<Reason | null> = new Set<Reason>(
  RULES.slice(0, FIRST_PASSWORD_RULE).map((rule) => rule.reason),
);

/** Makes the decision function of a process. All of its requests must come through one, since it gives the turns. */
export function makeAuthenticate(deps: AuthenticateDeps): Authenticate {
  const turns = makeTurns(LIMITS.waitingPerUser);

  return async (request) => {
    const started = deps.micros();
    let held: number | null = null;
    let answered: Answered | null = null;
    let fresh = false;
    let stale = false;
    try {
      for (let round = 0; round < LIMITS.rounds; round++) {
        const found = lookUp(deps.directory, request, fresh);
        const records = found instanceof Promise ? await found : found;
        const pk = records.user?.pk ?? null;
        if (pk !== null && pk !== held) {
          if (held !== null) turns.release(held);
          held = null;
          const turn = turns.take(pk);
          if (turn === 'full') return OVERLOAD;
          held = pk;
          if (turn !== 'now') await turn;
          // What was read before a wait may be what another request has decided on since: read again, now that it is our turn.
          if (turn !== 'now' || found instanceof Promise) continue;
        }

        const now = deps.clock();
        const tokens = usableTokens(records.user, records.resource);
        const grace = graceOf(request, records.user, records.resource, deps.hashGrace);
        const reading = readCredential(request.credential, records.resource, tokens, request.datagram, grace, now);
        let facts = factsOf(request, records, reading, tokens, now);
        let evaluation = evaluate(facts);
        if (deps.ledger.shared && !fresh && BY_STATE.has(evaluation.reason)) {
          fresh = true;
          continue;
        }
        const question = questionOf(facts, evaluation, reading);
        if (question !== null) {
          if (answered === null || !isSame(question, answered)) answered = await ask(deps, question, request);
          if (answered.answer === 'overload') return OVERLOAD;
          if (question.counts) {
            facts = { ...facts, password: answered.answer };
            evaluation = evaluate(facts);
          }
        }

        const entry = ledgerEntry({
          id: deps.newId(now),
          request,
          facts,
          evaluation,
          reading,
          grace,
          position: records.position,
          durationMicros: deps.micros() - started,
          unknownLogins: deps.unknownLogins,
          hashWrong: deps.hashWrong,
        });
        const commit = await deps.ledger.commit(entry);
        if (commit.kind === 'committed') return decisionOf(evaluation, facts, commit.proof);
        if (commit.kind === 'unavailable') return commit.cause === 'overload' ? OVERLOAD : STORE;
        if (stale) return STORE;
        stale = true;
        fresh = true;
      }
      return STORE;
    } catch (error) {
      deps.onError(error);
      return STORE;
    } finally {
      if (held !== null) turns.release(held);
    }
  };
}

/** The user by the first name that names one, and the resource; a promise only where the directory had to go and look. */
function lookUp(directory: Directory, request: AccessRequest, fresh: boolean): Records | Promise<Records> {
  const names = nameCandidates(request.login, request.domains);
  let position = Number.POSITIVE_INFINITY;
  let tried = 0;
  for (const name of names) {
    tried += 1;
    const found = directory.userByName(name, fresh);
    if (found instanceof Promise) return lookUpLater(directory, request, fresh, found, names.slice(tried), position);
    position = Math.min(position, found.position);
    if (found.value !== null) return withResource(directory, request, fresh, found.value, position);
  }
  return withResource(directory, request, fresh, null, position);
}

async function lookUpLater(
  directory: Directory,
  request: AccessRequest,
  fresh: boolean,
  pending: Promise<Found<UserFacts>>,
  others: readonly string[],
  before: FeedPosition,
): Promise<Records> {
  let found = await pending;
  let position = Math.min(before, found.position);
  for (const name of others) {
    if (found.value !== null) break;
    found = await directory.userByName(name, fresh);
    position = Math.min(position, found.position);
  }
  return withResource(directory, request, fresh, found.value, position);
}

/** The position is the lowest of the reads': whatever changed after any of them may have changed what the decision is made on. */
function withResource(
  directory: Directory,
  request: AccessRequest,
  fresh: boolean,
  user: UserFacts | null,
  before: FeedPosition,
): Records | Promise<Records> {
  const found = directory.resourceById(request.resourceId, fresh);
  const records = ({ value, position }: Found<ResourceFacts>): Records => ({
    user,
    resource: value,
    position: Math.min(before, position),
  });
  return found instanceof Promise ? found.then(records) : records(found);
}

function factsOf(
  request: AccessRequest,
  { user, resource }: Records,
  reading: Reading,
  tokens: Facts['tokens'],
  now: Instant,
): Facts {
  return {
    now,
    user,
    resource,
    method: request.method,
    source: request.source,
    lockedUntil: user === null ? NOT_LOCKED : lockedUntil(user.lockouts, request.source ?? request.peer, now),
    password: passwordFact(resource, reading),
    tokens,
    otp: reading.otp,
  };
}

function passwordFact(resource: ResourceFacts | null, { split }: Reading): PasswordFact {
  if (resource === null || resource.firstFactor === 'none') return 'none';
  // An empty password never leaves the house: a directory takes it for an anonymous bind and says yes.
  return split.password === '' ? 'wrong' : 'unasked';
}

/**
 * Who is asked what. Where an earlier rule has failed an upstream is left alone, but the own password check does its work all the
 * same, for nobody, so that a stopwatch cannot tell who exists.
 */
function questionOf({ user, resource, password }: Facts, { reason }: Evaluation, { split }: Reading): Question | null {
  if (password !== 'unasked' || resource === null) return null;
  const { firstFactor } = resource;
  if (!BEFORE_PASSWORD.has(reason)) return { counts: true, firstFactor, user, password: split.password };
  return firstFactor === 'local' ? { counts: false, firstFactor, user: null, password: split.password } : null;
}

const isSame = (question: Question, answered: Answered): boolean =>
  question.firstFactor === answered.firstFactor &&
  question.password === answered.password &&
  question.user?.pk === answered.user?.pk &&
  question.user?.passwordHash === answered.user?.passwordHash;

async function ask(deps: AuthenticateDeps, question: Question, request: AccessRequest): Promise<Answered> {
  const { firstFactor, user, password } = question;
  const answer = await deps.firstFactors.check(firstFactor, user, user?.login ?? request.login, password);
  return { ...question, answer };
}
