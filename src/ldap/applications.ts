/**
 * The LDAP applications and which of them a name belongs to: of those whose base the name is at or below and whose networks
 * hold the peer, the one with the most specific base. A service account belongs to its application wherever its DN lies.
 */
import { inNetworks } from '../access/networks.js';
import { type Dn, dnKey, parseDn, rdnKey, writeDn } from './dn.js';

export interface ServiceAccount {
  readonly dn: string;
  /** Whether `password` is its password. Never rejects. */
  verify(password: string): Promise<'right' | 'wrong' | 'overload'>;
}

export interface LdapApplication {
  readonly id: string;
  readonly name: string;
  readonly baseDn: string;
  /** The resource that it guards. */
  readonly resourceId: string;
  readonly serviceAccounts: readonly ServiceAccount[];
  /** CIDR texts; empty: from anywhere. */
  readonly sourceNetworks: readonly string[];
  readonly domains: readonly string[];
  readonly active: boolean;
}

/** Where a name belongs. */
export interface Fit {
  readonly application: LdapApplication;
  readonly base: Dn;
  /** The service account that has exactly this name. */
  readonly account: ServiceAccount | null;
}

export interface LdapApplications {
  /** Where `dn` belongs for a request from `peer` (a canonical address), or null. */
  find(dn: Dn, peer: string): Fit | null;
  /** The bases that `peer` may ask below, each once, as we write them. */
  namingContexts(peer: string): readonly string[];
}

/** Applications to look in; one that is inactive, or whose base is no DN, is as if it were not there. */
export function ldapApplications(applications: readonly LdapApplication[]): LdapApplications {
  const byBase = new Map<string, Fit[]>();
  const byAccount = new Map<string, Fit[]>();
  let longestBase = 0;
  for (const application of applications) {
    const base = parseDn(application.baseDn);
    if (!application.active || base === null) continue;
    longestBase = Math.max(longestBase, base.length);
    add(byBase, dnKey(base), { application, base, account: null });
    for (const account of application.serviceAccounts) {
      const dn = parseDn(account.dn);
      if (dn !== null && dn.length > 0) add(byAccount, dnKey(dn), { application, base, account });
    }
  }
  return {
    find(dn, peer) {
      if (byAccount.size > 0) {
        const account = firstThatFits(byAccount.get(dnKey(dn)), peer);
        if (account !== null) return account;
      }
      const suffixes = ['']; // suffixes[n]: the key of the last n RDNs
      for (const rdn of dn.slice(Math.max(0, dn.length - longestBase)).reverse()) {
        const shorter = suffixes.at(-1);
        suffixes.push(shorter === undefined || shorter === '' ? rdnKey(rdn) : `${rdnKey(rdn)},${shorter}`);
      }
      // The root as a base holds every name; it comes last, being the shortest.
      for (const suffix of suffixes.reverse()) {
        const fit = firstThatFits(byBase.get(suffix), peer);
        if (fit !== null) return fit;
      }
      return null;
    },
    namingContexts(peer) {
      const bases: string[] = [];
      for (const fits of byBase.values()) {
        const fit = firstThatFits(fits, peer);
        if (fit !== null) bases.push(writeDn(fit.base));
      }
      return bases;
    },
  };
}

/** Those tied to networks before those that are open to all, so that the particular wins over the general. */
function add(map: Map<string, Fit[]>, key: string, fit: Fit): void {
  const fits = map.get(key);
  if (fits === undefined) {
    map.set(key, [fit]);
  } else if (fit.application.sourceNetworks.length > 0) {
    const open = fits.findIndex((each) => each.application.sourceNetworks.length === 0);
    fits.splice(open === -1 ? fits.length : open, 0, fit);
  } else {
    fits.push(fit);
  }
}

function firstThatFits(fits: readonly Fit[] | undefined, peer: string): Fit | null {
  const fit = fits?.find(({ application: { sourceNetworks } }) => {
    return sourceNetworks.length === 0 || inNetworks(sourceNetworks, peer);
  });
  return fit ?? null;
}
