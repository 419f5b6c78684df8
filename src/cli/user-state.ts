/** How a user stands now, as far as it decides who gets in: blocked or not, tokens, resources, locks. */
import type { UserRecord } from '../records/user.js';
import type { Lock } from '../store/locks.js';
import type { RecordStore } from '../store/record-store.js';
import { when } from './decision-text.js';

/** A resource that a user may enter; `through` is the first of its groups that opens it, null where it is the user's own. */
export interface Entrance {
  readonly resource: string;
  readonly through: string | null;
}

/** The state, for people and scripts. */
export interface UserState {
  readonly id: string;
  readonly login: string;
  readonly displayName: string | null;
  readonly active: boolean;
  readonly tokens: readonly {
    readonly id: string;
    readonly type: string;
    readonly name: string | null;
    readonly serial: string | null;
    readonly active: boolean;
  }[];
  readonly entrances: readonly Entrance[];
  readonly locks: readonly { readonly after: Lock['after']; readonly source: string | null; readonly until: string }[];
}

/** Gathers the state of `user`; `locks` are those that are on. */
export async function userState(records: RecordStore, user: UserRecord, locks: readonly Lock[]): Promise<UserState> {
  const entrances: Entrance[] = user.resources.map((resource) => ({ resource, through: null }));
  for (const name of user.groups) {
    const listed = await records.groups.list({ name, limit: 1 });
    for (const group of listed.ok ? listed.value.items : []) {
      for (const resource of group.resources)
        if (!entrances.some((each) => each.resource === resource)) entrances.push({ resource, through: name });
    }
  }
  return {
    id: user.id,
    login: user.login,
    displayName: user.displayName,
    active: user.active,
    tokens: user.tokens.map(({ id, type, name, serial, active, usedAt }) => ({
      id,
      type,
      name,
      serial,
      active,
      usedAt,
    })),
    entrances,
    locks: locks.map(({ after, source, until }) => ({ after, source, until: new Date(until).toISOString() })),
  };
}

/** The state in lines; what keeps the user out comes with the command that changes it. */
export function userStateText({ login, displayName, active, tokens, entrances, locks }: UserState): string {
  const usable = tokens.filter((token) => token.active);
  const lines = [`${login}${displayName === null ? '' : ` (${displayName})`} now:`];
  lines.push(active ? '  is active' : `  is blocked: sallyport user set ${login} --active true`);
  if (usable.length > 0)
    lines.push(
      `  has ${usable.length === 1 ? 'an active token' : `${usable.length} active tokens`}: ${usable.map(tokenText).join(', ')}`,
    );
  else if (tokens.length > 0)
    lines.push(`  has no active token: ${tokens.map(tokenText).join(', ')} ${tokens.length === 1 ? 'is' : 'are'} off`);
  else lines.push(`  has no token: sallyport token create --type totp --user ${login}`);
  if (entrances.length === 0) lines.push(`  may enter nothing: sallyport user assign ${login} RESOURCE`);
  else
    lines.push(
      `  may enter ${entrances.map(({ resource, through }) => resource + (through === null ? '' : ` (through ${through})`)).join(', ')}`,
    );
  for (const { after, source, until } of locks)
    lines.push(
      `  is locked after too many wrong ${after} from ${source ?? 'everywhere'} until ${when(until)}: sallyport user unlock ${login}`,
    );
  if (locks.length === 0) lines.push('  is not locked');
  return lines.join('\n');
}

const tokenText = ({ type, name, serial }: UserState['tokens'][number]): string =>
  [type, name ?? serial].filter((part) => part !== null).join(' ');
