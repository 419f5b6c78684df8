/**
 * Which RADIUS client a packet comes from: the source address alone picks the network, the most specific one, and with it the
 * secret; NAS-Identifier then picks among the records of that very network, which share the secret (RAD-4).
 */
import ipaddr from 'ipaddr.js';
import type { Secret } from '../base/secret.js';
import { canonicalAddress } from './address.js';
import { SecretKey } from './authenticator.js';
import { LIMITS } from './limits.js';

/** A RADIUS client's record as this door needs it. */
export interface RadiusClient {
  readonly id: string;
  readonly name: string;
  /** CIDR or a bare address. */
  readonly address: string;
  readonly secret: Secret;
  readonly resourceId: string;
  readonly requireMessageAuthenticator: 'auto' | 'yes' | 'no';
  /** Under `auto`: this client once sent one, so it is demanded from now on (RAD-42). */
  readonly messageAuthenticatorSeen: boolean;
  readonly domains: readonly string[];
  readonly nasIdentifier: string | null;
  readonly active: boolean;
  readonly limitProxyState: boolean;
}

/** A client that was found, with what is computed once for it. */
export interface KnownClient {
  readonly record: RadiusClient;
  readonly key: SecretKey;
  /** Its network is one address, so what one packet shows holds for all of them (RAD-42). */
  readonly oneAddress: boolean;
}

/** Finds the client that a packet came from. */
export interface RadiusClients {
  /** `address` is canonical; null: nobody known, or a client that is switched off. */
  find(address: string, nasIdentifier: string | null): KnownClient | null;
}

/** A record that was left out, and why. */
export interface ClientProblem {
  readonly clientId: string;
  readonly kind: 'badAddress' | 'otherSecret' | 'sameNasIdentifier';
}

interface Network {
  readonly bits: number;
  readonly range: [ipaddr.IPv4 | ipaddr.IPv6, number];
  readonly clients: KnownClient[];
}

/**
 * Builds the table. Exact addresses are one look into a Map; networks are tried from the most specific on, and the answer is
 * remembered by address. A record that cannot be told from another, or names another secret for the same network,
 * is left out and named.
 */
export function buildRadiusClients(records: readonly RadiusClient[]): {
  readonly clients: RadiusClients;
  readonly problems: readonly ClientProblem[];
} {
  const problems: ClientProblem[] = [];
  const byText = new Map<string, Network>();
  const exact = new Map<string, KnownClient[]>();
  for (const record of records) {
    const range = parseNetwork(record.address);
    if (range === null) {
      problems.push({ clientId: record.id, kind: 'badAddress' });
      continue;
    }
    const [address, prefix] = range;
    const oneAddress = prefix === (address.kind() === 'ipv4' ? 32 : 128);
    const text = `${address.toString()}/${prefix}`;
    const network = byText.get(text) ?? { bits: prefix, range, clients: [] };
    const [first] = network.clients;
    if (first !== undefined && !first.record.secret.equals(record.secret)) {
      problems.push({ clientId: record.id, kind: 'otherSecret' });
      continue;
    }
    if (network.clients.some((other) => other.record.nasIdentifier === record.nasIdentifier)) {
      problems.push({ clientId: record.id, kind: 'sameNasIdentifier' });
      continue;
    }
    network.clients.push({ record, key: first?.key ?? new SecretKey(record.secret), oneAddress });
    byText.set(text, network);
    if (oneAddress) exact.set(canonicalAddress(address.toString()) ?? address.toString(), network.clients);
  }
  const networks = [...byText.values()].filter(({ clients }) => clients.some(({ oneAddress }) => !oneAddress));
  networks.sort((a, b) => b.bits - a.bits);
  const inNetworks = new Map<string, readonly KnownClient[] | null>();

  return {
    problems,
    clients: {
      find(address, nasIdentifier) {
        let clients = exact.get(address) ?? inNetworks.get(address);
        if (clients === undefined) {
          if (inNetworks.size >= LIMITS.knownSources) inNetworks.clear();
          clients = mostSpecific(networks, address);
          inNetworks.set(address, clients);
        }
        return clients === null ? null : pick(clients, nasIdentifier);
      },
    },
  };
}

function parseNetwork(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | null {
  try {
    const slash = text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`;
    const [address, prefix] = ipaddr.parseCIDR(slash);
    // An IPv4-mapped network is an IPv4 network with 96 bits before it.
    if (
      address.kind() === 'ipv6' &&
      'isIPv4MappedAddress' in address &&
      address.isIPv4MappedAddress() &&
      prefix >= 96
    ) {
      return [address.toIPv4Address(), prefix - 96];
    }
    return address.kind() === 'ipv4'
      ? [ipaddr.IPv4.networkAddressFromCIDR(slash), prefix]
      : [ipaddr.IPv6.networkAddressFromCIDR(slash), prefix];
  } catch {
    return null;
  }
}

function mostSpecific(networks: readonly Network[], text: string): readonly KnownClient[] | null {
  if (networks.length === 0) return null;
  const address = ipaddr.parse(text);
  for (const { range, clients } of networks) {
    if (address.kind() === range[0].kind() && address.match(range)) return clients;
  }
  return null;
}

/** The record that names this NAS, else the one that names none; a client that is switched off is no client. */
function pick(clients: readonly KnownClient[], nasIdentifier: string | null): KnownClient | null {
  let found: KnownClient | null = null;
  for (const client of clients) {
    const named = client.record.nasIdentifier;
    if (named === null) found ??= client;
    else if (named === nasIdentifier) {
      found = client;
      break;
    }
  }
  return found?.record.active === true ? found : null;
}
