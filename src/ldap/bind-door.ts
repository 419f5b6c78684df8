/**
 * From a name and a password to a verdict: which application the name belongs to, who is meant, and who is asked about the
 * password. What refuses here refuses exactly as a decision does (LDAP-22).
 */
import { isUtf8 } from 'node:buffer';
import type { Authenticate, Credential, Decision } from '../access/request.js';
import type { Instant } from '../base/units.js';
import { unreachable } from '../base/unreachable.js';
import type { Fit, LdapApplications, ServiceAccount } from './applications.js';
import { bindName, userDn } from './bind-name.js';
import { parseDn, writeDn } from './dn.js';
import type { DoorEvent } from './door-event.js';
import type { Verdict } from './instruction.js';

/** The part of an event that this file knows; the session adds when and from where. */
export type BindReport = Pick<DoorEvent, 'reason' | 'detail' | 'clientId' | 'client' | 'resourceId' | 'login'>;

export interface BindDoor {
  applications(): LdapApplications;
  readonly authenticate: Authenticate;
}

export interface BindAttempt {
  readonly name: string;
  readonly password: Buffer;
  /** Canonical address. */
  readonly peer: string;
  readonly receivedAt: Instant;
}

const REFUSED: Verdict = { kind: 'refused' };
const BUSY: Verdict = { kind: 'busy' };
const UNAVAILABLE: Verdict = { kind: 'unavailable' };

/** What is known about a name without asking anybody; for reports, too. */
export function reportOn(
  applications: LdapApplications,
  name: string,
  peer: string,
  reason: DoorEvent['reason'],
  detail: string,
): BindReport {
  const dn = name === '' ? null : parseDn(name);
  const application = dn === null ? null : (applications.find(dn, peer)?.application ?? null);
  return {
    reason,
    detail,
    clientId: application?.id ?? null,
    client: application?.name ?? null,
    resourceId: application?.resourceId ?? null,
    login: dn === null ? null : writeDn(dn),
  };
}

/**
 * Decides a bind: at once where nobody has to be asked, else as a promise. The promise rejects only where `authenticate` or
 * an account does, which is a bug of theirs.
 */
export function decideBind(
  door: BindDoor,
  attempt: BindAttempt,
  report: (report: BindReport) => void,
): Verdict | Promise<Verdict> {
  const applications = door.applications();
  const refuse = (reason: DoorEvent['reason'], detail: string): Verdict => {
    report(reportOn(applications, attempt.name, attempt.peer, reason, detail));
    return REFUSED;
  };
  const dn = parseDn(attempt.name);
  if (dn === null) return refuse('unknown_client', 'invalid_dn');
  const fit = applications.find(dn, attempt.peer);
  if (fit === null) return refuse('unknown_client', 'no_application');
  if (fit.account !== null) return bindService(fit.account, attempt, refuse);
  const login = bindName(dn, fit.base.length);
  if (login === null) return refuse('unknown_user', 'not_a_user_dn');
  return bindUser(door, fit, login, attempt);
}

async function bindService(
  account: ServiceAccount,
  { password }: BindAttempt,
  refuse: (reason: DoorEvent['reason'], detail: string) => Verdict,
): Promise<Verdict> {
  const result = isUtf8(password) ? await account.verify(password.toString('utf8')) : 'wrong';
  switch (result) {
    case 'right':
      return { kind: 'accepted', dn: writeDn(parseDn(account.dn) ?? []) };
    case 'wrong':
      return refuse('wrong_password', 'service_account');
    case 'overload':
      return BUSY;
    default:
      return unreachable(result);
  }
}

async function bindUser(door: BindDoor, fit: Fit, login: string, attempt: BindAttempt): Promise<Verdict> {
  const { application, base } = fit;
  const decision = await door.authenticate({
    door: 'ldap',
    method: 'bind',
    client: application.name,
    domains: application.domains,
    resourceId: application.resourceId,
    login,
    credential: credentialOf(attempt.password),
    source: attempt.peer,
    station: null,
    peer: attempt.peer,
    datagram: null,
    receivedAt: attempt.receivedAt,
  });
  return verdictOf(decision, (own) => userDn(own, base));
}

function credentialOf(password: Buffer): Credential {
  return isUtf8(password) ? { kind: 'text', text: password.toString('utf8') } : { kind: 'undecodable' };
}

function verdictOf(decision: Decision, dnOf: (login: string) => string): Verdict {
  switch (decision.outcome) {
    case 'accepted':
      return { kind: 'accepted', dn: dnOf(decision.login) };
    case 'refused':
      return REFUSED;
    case 'unavailable':
      return decision.cause === 'overload' ? BUSY : UNAVAILABLE;
    default:
      return unreachable(decision);
  }
}
