/** The root DSE (RFC 4512 §5.1, LDAP-52): what this server speaks, and below which names it answers. Only what works now. */
import type { Entry } from './entry.js';
import { OID } from './oid.js';
import type { Attribute } from './response.js';
import { SUBSCHEMA_DN } from './subschema.js';

export interface RootDseFacts {
  readonly namingContexts: readonly string[];
  /** There is a certificate, so StartTLS works. */
  readonly startTls: boolean;
  readonly vendorVersion: string;
}

/**
 * The entry with the empty name. All of it is shown where no attributes are named, as Active Directory does it: whoever looks
 * here by hand looks for the operational ones.
 */
export function rootDse(facts: RootDseFacts): Entry {
  const attributes: Attribute[] = [
    { name: 'objectClass', values: ['top'] },
    { name: 'namingContexts', values: facts.namingContexts },
    { name: 'subschemaSubentry', values: [SUBSCHEMA_DN] },
    { name: 'supportedLDAPVersion', values: ['3'] },
    { name: 'supportedExtension', values: facts.startTls ? [OID.startTls, OID.whoAmI] : [OID.whoAmI] },
    { name: 'supportedFeatures', values: [OID.allOperational, OID.absoluteFilters] },
    { name: 'vendorName', values: ['Sallyport'] },
    { name: 'vendorVersion', values: [facts.vendorVersion] },
  ];
  const present = attributes.filter((attribute) => attribute.values.length > 0);
  return { dn: '', user: present, operational: [] };
}
