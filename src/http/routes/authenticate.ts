/**
 * `POST /authenticate`: the decision of RADIUS and LDAP for applications that speak HTTP. Outward there are two outcomes;
 * a refusal carries nothing else and leaves a fixed delay after its request came, so that neither bytes nor time tell why.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Authenticate } from '../../access/request.js';
import type { Clock, Instant, Millis } from '../../base/units.js';
import { unreachable } from '../../base/unreachable.js';
import { API, type App, callerOf } from '../app.js';
import { Budget } from '../budget.js';
import { fromStore, valid } from '../errors.js';
import { REFUSAL_BUDGET, RETRY_AFTER_SECONDS } from '../limits.js';
import { canonicalAddress } from '../peer.js';
import { sendProblem } from '../problems.js';

/** A resource as a sign-in names it. */
export interface ResourceName {
  readonly id: string;
  readonly name: string;
}

export interface AuthenticateParts {
  readonly authenticate: Authenticate;
  /** By id or name, whatever the case; null where there is none. Rejects where the store cannot be read. */
  readonly resource: (nameOrId: string) => Promise<ResourceName | null>;
  readonly clock: Clock;
  /** Milliseconds from a request's arrival to a refusal. */
  readonly rejectDelay: Millis;
}

const TEXT = {
  login: 512, // a login has up to 255 characters, a domain before or behind it as many
  credential: 4096, // a password of 1,024 octets, in Base64 and with a code behind it
  resource: 255,
} as const;

/** No column of a database holds it, and no user types it. */
const typed = (max: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(max, `at most ${max} characters`)
    .refine((text) => !text.includes('\0'), 'must not contain U+0000');

const body = z
  .strictObject({
    login: typed(TEXT.login).meta({ description: 'Login or alias, as the user typed it' }),
    credential: typed(TEXT.credential).meta({
      description: 'What the user typed: an OTP, a password with an OTP, SCRV1:…',
    }),
    resource: typed(TEXT.resource).meta({ description: 'Name or id of the resource that is entered' }),
    source: z
      .string()
      .max(64, 'at most 64 characters')
      .refine((text) => canonicalAddress(text) !== null, 'is not an IP address')
      .optional()
      .meta({ description: 'The IP address that the user comes from, for rules on source networks and lockout' }),
  })
  .meta({ examples: [{ login: 'alice', credential: '492039', resource: 'vpn', source: '192.0.2.7' }] });

const outcome = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('accepted'),
    userId: z.string(),
    login: z.string().meta({ description: "The user's own login, whatever name was sent" }),
  }),
  z.object({ outcome: z.literal('refused') }),
]);

/** Milliseconds until a refusal may leave: the delay after arrival, or its next multiple where the rules took longer. */
export function refusalWait(receivedAt: Instant, now: Instant, rejectDelay: Millis): number {
  if (rejectDelay === 0) return 0;
  const passed = Math.max(0, now - receivedAt);
  return Math.max(1, Math.ceil(passed / rejectDelay)) * rejectDelay - passed;
}

/** The route `/authenticate`. */
export function authenticateRoute(app: App, parts: AuthenticateParts): void {
  const { authenticate, resource, clock, rejectDelay } = parts;
  const refusals = new Budget(REFUSAL_BUDGET);

  app.route({
    method: 'POST',
    url: `${API}/authenticate`,
    config: { permission: 'authenticate' },
    schema: {
      tags: ['authenticate'],
      summary: 'Sign a user in at a resource',
      description: 'The same decision as over RADIUS and LDAP. A refusal does not say why; the event log does.',
      operationId: 'authenticate',
      body,
      response: { 200: outcome },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const { login, credential, resource: named, source } = valid(body, request.body);
      const entered = await fromStore(resource(named));
      if (entered === null) {
        return sendProblem(reply, 'invalid', { errors: [{ pointer: '/resource', message: 'names no resource' }] });
      }
      if (caller.role === 'application' && !caller.resources.includes(entered.id)) {
        return sendProblem(reply, 'forbidden', { detail: 'This key is not tied to that resource.' });
      }
      const tries = `${caller.id} ${login.toLowerCase()}`;
      const wait = refusals.wait(tries, clock());
      if (wait > 0) return sendProblem(reply, 'too_many_requests', { retryAfter: wait });

      const decision = await authenticate({
        door: 'http',
        method: 'api',
        client: caller.name,
        domains: [],
        resourceId: entered.id,
        login,
        credential: { kind: 'text', text: credential },
        source: source === undefined ? null : canonicalAddress(source),
        station: null,
        peer: request.peer,
        datagram: null,
        receivedAt: request.receivedAt,
      });
      switch (decision.outcome) {
        case 'accepted':
          return { outcome: 'accepted' as const, userId: decision.userId, login: decision.login };
        case 'refused':
          refusals.spend(tries, clock());
          // Waiting is no work: the place goes to the next request.
          request.place?.release();
          await sleep(refusalWait(request.receivedAt, clock(), rejectDelay));
          return { outcome: 'refused' as const };
        case 'unavailable':
          return sendProblem(reply, 'unavailable', { retryAfter: RETRY_AFTER_SECONDS });
        default:
          return unreachable(decision);
      }
    },
  });
}
