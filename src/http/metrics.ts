/**
 * What the process counts, for Prometheus. Doors get methods, not label objects: each label combination is resolved once
 * and kept, so that counting costs a map look-up. Labels come from closed sets in the code, never from what a stranger sent.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Decision, Door } from '../access/request.js';

/** What the RADIUS door counts. */
export interface RadiusMetrics {
  /** A datagram that got no answer, and why. */
  dropped(cause: string): void;
  /** A retransmission: the kept answer was resent, or it was dropped since the first is still in flight. */
  duplicate(kind: 'resent' | 'dropped'): void;
  /** An answer by its packet code (RFC 2865 §3). */
  answered(code: number): void;
  /** An exception that reached the door's outermost handler. */
  internalError(): void;
}

/** What the LDAP door counts. */
export interface LdapMetrics {
  /** A connection that the server closed, and why. */
  closed(cause: string): void;
  /** A result code other than success (RFC 4511 §4.1.9). */
  error(code: number): void;
  bind(outcome: string): void;
}

/** What the HTTP door counts. */
export interface HttpMetrics {
  problem(status: number): void;
  /** A request that was answered; `route` is the pattern, never the path. */
  answered(method: string, route: string, status: number, seconds: number): void;
}

/** What the ledger counts. */
export interface LedgerMetrics {
  /** A batch: how many decisions shared it, and how long its commit took in milliseconds. */
  batch(size: number, millis: number): void;
}

export interface Metrics {
  readonly radius: RadiusMetrics;
  readonly ldap: LdapMetrics;
  readonly http: HttpMetrics;
  readonly ledger: LedgerMetrics;
  /** A decision and how many milliseconds it took; the delay of refusals is not part of that. */
  decided(door: Door, decision: Decision, millis: number): void;
  /** An exception that reached a door's outermost handler. */
  internalError(door: Door): void;
  /** A value that is read whenever the metrics are asked for: queue lengths, cache sizes, records. */
  gauge(name: string, help: string, read: () => number): void;
  /** The exposition text, and the media type that it has. */
  text(): Promise<string>;
  readonly contentType: string;
}

// Local decisions take a millisecond, argon2 tens, an upstream hundreds; the fixed delay and NAS time-outs stand above.
const DECISION_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const COMMIT_SECONDS = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1];
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10];

/** Keeps what `make` makes for a name. */
function kept<T>(make: (name: string) => T): (name: string) => T {
  const children = new Map<string, T>();
  return (name) => {
    const known = children.get(name);
    if (known !== undefined) return known;
    const made = make(name);
    children.set(name, made);
    return made;
  };
}

/** A new, empty set of metrics. `version` becomes a label of `sallyport_info`. */
export function makeMetrics(version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'sallyport_info', help: 'The version that runs', labelNames: ['version'], registers })
    .labels(version)
    .set(1);

  const counter = (name: string, help: string, label: string) => {
    const one = new Counter({ name: `sallyport_${name}_total`, help, labelNames: [label], registers });
    const child = kept((value) => one.labels(value));
    return (value: string) => child(value).inc();
  };
  const radiusDropped = counter('radius_dropped', 'RADIUS packets that got no answer, by cause', 'cause');
  const radiusDuplicates = counter('radius_duplicates', 'RADIUS retransmissions, by what became of them', 'kind');
  const radiusAnswers = counter('radius_answers', 'RADIUS answers, by packet code', 'code');
  const ldapClosed = counter('ldap_closed', 'LDAP connections that the server closed, by cause', 'cause');
  const ldapErrors = counter('ldap_errors', 'LDAP results other than success, by code', 'code');
  const ldapBinds = counter('ldap_binds', 'LDAP binds, by outcome', 'outcome');
  const httpProblems = counter('http_problems', 'HTTP problems, by status', 'status');
  const internalErrors = counter('internal_errors', 'Exceptions that reached a door, by door', 'door');

  const decisions = new Counter({
    name: 'sallyport_decisions_total',
    help: 'Decisions, by door, outcome and reason',
    labelNames: ['door', 'outcome', 'reason'],
    registers,
  });
  const decisionSeconds = new Histogram({
    name: 'sallyport_decision_seconds',
    help: 'How long a decision took, without the delay of refusals',
    labelNames: ['door'],
    buckets: DECISION_SECONDS,
    registers,
  });
  const decided = kept((name) => {
    const [door = '', outcome = '', reason = ''] = name.split(' ');
    return { count: decisions.labels(door, outcome, reason), time: decisionSeconds.labels(door) };
  });
  const batchSize = new Histogram({
    name: 'sallyport_ledger_batch_size',
    help: 'Decisions that shared one commit',
    buckets: BATCH_SIZES,
    registers,
  });
  const commitSeconds = new Histogram({
    name: 'sallyport_ledger_commit_seconds',
    help: 'How long a commit of the ledger took',
    buckets: COMMIT_SECONDS,
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'sallyport_http_request_seconds',
    help: 'HTTP requests, by method, route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const requests = kept((name) => {
    const [method = '', route = '', status = ''] = name.split(' ');
    return requestSeconds.labels(method, route, status);
  });

  return {
    radius: {
      dropped: radiusDropped,
      duplicate: radiusDuplicates,
      answered: (code) => radiusAnswers(String(code)),
      internalError: () => internalErrors('radius'),
    },
    ldap: { closed: ldapClosed, error: (code) => ldapErrors(String(code)), bind: ldapBinds },
    http: {
      problem: (status) => httpProblems(String(status)),
      answered: (method, route, status, taken) => requests(`${method} ${route} ${status}`).observe(taken),
    },
    ledger: {
      batch: (size, taken) => {
        batchSize.observe(size);
        commitSeconds.observe(taken / 1000);
      },
    },
    decided: (door, decision, taken) => {
      const children = decided(`${door} ${decision.outcome} ${causeOf(decision)}`);
      children.count.inc();
      children.time.observe(taken / 1000);
    },
    internalError: internalErrors,
    gauge: (name, help, read) => {
      new Gauge({
        name: `sallyport_${name}`,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** The label `reason`: empty for an acceptance. */
function causeOf(decision: Decision): string {
  switch (decision.outcome) {
    case 'accepted':
      return '';
    case 'refused':
      return decision.reason;
    case 'unavailable':
      return decision.cause;
  }
}
