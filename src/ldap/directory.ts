/**
 * What searches and comparisons find. Always readable: the root DSE and the subschema (LDAP-42). Everything else belongs to
 * the directory of users, which is not shown to anybody: insufficientAccessRights, never an empty success.
 */
import type { LdapApplications } from './applications.js';
import { type Dn, dnKey, parseDn } from './dn.js';
import { type Entry, matches, prepareAssertion, selectAttributes, valuesOf } from './entry.js';
import type { CompareRequest, SearchRequest } from './message.js';
import type { Attribute } from './response.js';
import { RESULT, type ResultCode } from './result-code.js';
import { rootDse } from './root-dse.js';
import { SUBSCHEMA, SUBSCHEMA_DN } from './subschema.js';

export interface FoundEntry {
  readonly dn: string;
  readonly attributes: readonly Attribute[];
}

export interface SearchResult {
  readonly entries: readonly FoundEntry[];
  readonly code: ResultCode;
}

/** Answers a connection's reads. */
export interface LdapDirectory {
  search(request: SearchRequest, peer: string): SearchResult;
  compare(request: CompareRequest, peer: string): ResultCode;
}

export interface DirectoryFacts {
  applications(): LdapApplications;
  startTls(): boolean;
  readonly vendorVersion: string;
}

const BASE_OBJECT = 0;
const SUBSCHEMA_KEY = dnKey([[{ type: 'cn', value: 'Subschema' }]]);

export function ldapDirectory(facts: DirectoryFacts): LdapDirectory {
  /** The entry that everybody may read, or null. */
  const publicEntry = (dn: Dn, peer: string): Entry | null => {
    if (dn.length === 0) {
      const namingContexts = facts.applications().namingContexts(peer);
      return rootDse({ namingContexts, startTls: facts.startTls(), vendorVersion: facts.vendorVersion });
    }
    return dnKey(dn) === SUBSCHEMA_KEY ? SUBSCHEMA : null;
  };
  return {
    search(request, peer) {
      const base = parseDn(request.base);
      if (base === null) return { entries: [], code: RESULT.invalidDnSyntax };
      const entry = publicEntry(base, peer);
      // Whatever is below the root belongs to the directory of users.
      if (entry === null || (entry.dn !== SUBSCHEMA_DN && request.scope !== BASE_OBJECT)) {
        return { entries: [], code: RESULT.insufficientAccessRights };
      }
      const found = request.scope !== 1 && matches(request.filter, entry) === true;
      const entries = found ? [{ dn: entry.dn, attributes: selectAttributes(entry, request) }] : [];
      return { entries, code: RESULT.success };
    },
    compare(request, peer) {
      const dn = parseDn(request.dn);
      if (dn === null) return RESULT.invalidDnSyntax;
      const entry = publicEntry(dn, peer);
      if (entry !== null) {
        const values = valuesOf(entry, request.attribute);
        if (values === null) return RESULT.noSuchAttribute;
        return values.includes(prepareAssertion(request.value)) ? RESULT.compareTrue : RESULT.compareFalse;
      }
      // Which bases there are is no secret, the root DSE names them; what is below them is.
      return facts.applications().find(dn, peer) === null ? RESULT.noSuchObject : RESULT.insufficientAccessRights;
    },
  };
}
