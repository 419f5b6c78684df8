/**
 * Records as the API and the CLI see them: one interface over every kind. Changes are serialised, each is one transaction that
 * leaves a row of the feed and its events, and what can go wrong is returned. A promise that rejects means that the database
 * could not be reached or a bug.
 */
import type {
  AdministratorCreate,
  AdministratorPatch,
  AdministratorRecord,
  ApiKeyCreate,
  ApiKeyRecord,
  Role,
} from '../records/administrator.js';
import type { EventRecord } from '../records/event.js';
import type { GroupCreate, GroupPatch, GroupRecord } from '../records/group.js';
import type {
  LdapApplicationCreate,
  LdapApplicationPatch,
  LdapApplicationRecord,
} from '../records/ldap-application.js';
import type { Result } from '../records/problem.js';
import type { RadiusClientCreate, RadiusClientPatch, RadiusClientRecord } from '../records/radius-client.js';
import type { ResourceCreate, ResourcePatch, ResourceRecord } from '../records/resource.js';
import type { TokenCreate, TokenPatch, TokenRecord } from '../records/token.js';
import type { UserCreate, UserPatch, UserRecord } from '../records/user.js';
import type { Actor } from './actor.js';

/** A part of a list. `limit`: 1 to 500, 50 where not given (others are brought into that range); `cursor`: `nextCursor` of the part before. */
export interface Paging {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Case-blind: a part of the name. */
export interface NameQuery extends Paging {
  readonly query?: string | undefined;
  readonly name?: string | undefined;
  readonly active?: boolean | undefined;
}

export interface UserQuery extends Paging {
  /** Exactly this login or alias, whatever the case. */
  readonly login?: string | undefined;
  /** A part of login, alias, display name or mail address; names that begin with it come first. */
  readonly query?: string | undefined;
  readonly active?: boolean | undefined;
}

export interface TokenQuery extends Paging {
  /** Id, login or alias. */
  readonly user?: string | undefined;
  readonly serial?: string | undefined;
  /** A part of serial or name. */
  readonly query?: string | undefined;
  readonly type?: 'totp' | 'hotp' | undefined;
  readonly inStock?: boolean | undefined;
  readonly active?: boolean | undefined;
}

export interface EventQuery extends Paging {
  /** Id, login or alias of a user; a name that names nobody finds the events that carry it. */
  readonly user?: string | undefined;
  readonly resource?: string | undefined;
  readonly client?: string | undefined;
  readonly outcome?: string | undefined;
  readonly reason?: string | undefined;
  readonly kind?: string | undefined;
  /** Milliseconds since the epoch, inclusive. */
  readonly from?: number | undefined;
  /** Milliseconds since the epoch, exclusive. */
  readonly to?: number | undefined;
  /** A part of login, resource, client, source, reason or actor. */
  readonly query?: string | undefined;
}

/** `ifMatch`: the revision that the caller saw; null or absent: whatever it is. */
export interface Kind<Shown, Create, Patch, Query> {
  list(query: Query): Promise<Result<Page<Shown>>>;
  /** By id. */
  get(id: string): Promise<Result<Shown>>;
  create(input: Create, by: Actor): Promise<Result<Shown>>;
  update(id: string, patch: Patch, by: Actor, ifMatch?: number | null): Promise<Result<Shown>>;
  remove(id: string, by: Actor, ifMatch?: number | null): Promise<Result<null>>;
}

/** Who a valid API key is. */
export interface ApiKeyHolder {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Resource ids, for role `application`. */
  readonly resources: readonly string[];
}

/** An administrator as a sign-in needs it. */
export interface AdministratorCredential {
  readonly id: string;
  readonly login: string;
  readonly role: Role;
  readonly active: boolean;
  readonly passwordHash: string;
}

/** Both ends by id. `put` makes the link where there is none, `remove` ends it where there is one; neither minds otherwise. */
export interface Link {
  put(leftId: string, rightId: string, by: Actor): Promise<Result<null>>;
  remove(leftId: string, rightId: string, by: Actor): Promise<Result<null>>;
}

export interface RecordStore {
  /** `create` answers with the tokens' `secret` and `otpauthUri`, once. */
  readonly users: Kind<UserRecord, UserCreate, UserPatch, UserQuery> & {
    /** By id, login or alias. */
    find(reference: string): Promise<Result<UserRecord>>;
    putAlias(userId: string, alias: string, by: Actor): Promise<Result<null>>;
    removeAlias(userId: string, alias: string, by: Actor): Promise<Result<null>>;
    /** Forgets all counted failures of the user. */
    unlock(userId: string, by: Actor): Promise<Result<null>>;
    events(userId: string, query: EventQuery): Promise<Result<Page<EventRecord>>>;
  };
  readonly tokens: Kind<TokenRecord, TokenCreate, TokenPatch, TokenQuery> & {
    /** By id or serial. */
    find(reference: string): Promise<Result<TokenRecord>>;
  };
  readonly groups: Kind<GroupRecord, GroupCreate, GroupPatch, NameQuery>;
  readonly resources: Kind<ResourceRecord, ResourceCreate, ResourcePatch, NameQuery>;
  readonly radiusClients: Kind<RadiusClientRecord, RadiusClientCreate, RadiusClientPatch, NameQuery>;
  /** The RADIUS door saw a Message-Authenticator from this client: `auto` asks for one from now on. No change that anyone made, so no event. */
  messageAuthenticatorSeen(clientId: string): Promise<void>;
  readonly ldapApplications: Kind<LdapApplicationRecord, LdapApplicationCreate, LdapApplicationPatch, NameQuery>;
  readonly administrators: Kind<AdministratorRecord, AdministratorCreate, AdministratorPatch, NameQuery> & {
    /** By login, for a sign-in; null where there is none. */
    credential(login: string): Promise<AdministratorCredential | null>;
  };
  readonly apiKeys: Pick<Kind<ApiKeyRecord, ApiKeyCreate, never, NameQuery>, 'list' | 'get' | 'create'> & {
    /** The key stops working at once; it stays in the list. */
    revoke(id: string, by: Actor): Promise<Result<null>>;
    /** Who holds `key`, or null. Notes the time of use, at most once a minute. */
    holder(key: string): Promise<ApiKeyHolder | null>;
  };
  readonly links: {
    readonly userResource: Link;
    /** Assigning a token that another user holds is a conflict. */
    readonly userToken: Link;
    readonly userGroup: Link;
    readonly groupResource: Link;
    readonly tokenResource: Link;
  };
  readonly events: {
    list(query: EventQuery): Promise<Result<Page<EventRecord>>>;
    get(id: string): Promise<Result<EventRecord>>;
  };
}
