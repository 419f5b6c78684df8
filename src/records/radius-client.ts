/** RADIUS clients: the NAS that may ask, and the resource that each guards. */
import { z } from 'zod';
import { domain, LIMITS, list, name, nameKey, network, recordHead, reference, sharedSecret, text } from './values.js';

export const REQUIRE_MESSAGE_AUTHENTICATOR = ['auto', 'yes', 'no'] as const;
const requireMessageAuthenticator = z.enum(REQUIRE_MESSAGE_AUTHENTICATOR);

const fields = {
  requireMessageAuthenticator: requireMessageAuthenticator.nullish(),
  /** Picks among several NAS behind one address. */
  nasIdentifier: text(253, (value) => (value === '' ? 'must not be empty' : null)).nullish(),
  domains: list(domain, LIMITS.domains, nameKey).nullish(),
  /** Drops a request with Proxy-State and without Message-Authenticator (the BlastRADIUS attack needs it). */
  limitProxyState: z.boolean().nullish(),
  active: z.boolean().nullish(),
};

/** `POST /radius-clients`. */
export const radiusClientCreate = z.strictObject({
  name,
  address: network,
  secret: sharedSecret,
  resource: reference,
  ...fields,
});
export type RadiusClientCreate = z.output<typeof radiusClientCreate>;
export const radiusClientPatch = z.strictObject({
  name: name.optional(),
  address: network.optional(),
  secret: sharedSecret.optional(),
  resource: reference.optional(),
  ...fields,
});
export type RadiusClientPatch = z.output<typeof radiusClientPatch>;

/** `radiusClients` of a records file: what a client that is there may leave out, a new one needs. */
export const radiusClientEntry = radiusClientPatch.extend({ name });

/** A client as the API shows it, without its secret. */
export const radiusClientRecord = z.object({
  ...recordHead,
  name: z.string(),
  address: z.string(),
  resource: z.string(),
  resourceId: z.string(),
  requireMessageAuthenticator,
  /** Once a request came with one, `auto` asks for it. */
  messageAuthenticatorSeen: z.boolean(),
  nasIdentifier: z.string().nullable(),
  domains: z.array(z.string()),
  limitProxyState: z.boolean(),
  active: z.boolean(),
});
export type RadiusClientRecord = z.output<typeof radiusClientRecord>;
