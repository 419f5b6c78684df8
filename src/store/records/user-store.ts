/** Users and their tokens as the record store offers them. */

import type { Knex } from 'knex';
import { done, failed, type Result } from '../../records/problem.js';
import type { TokenRecord } from '../../records/token.js';
import type { UserCreate, UserPatch, UserRecord } from '../../records/user.js';
import { isId, loginFault, nameKey } from '../../records/values.js';
import type { Actor } from '../actor.js';
import { listEvents } from '../events-query.js';
import type { Page, RecordStore } from '../record-store.js';
import type { RecordContext } from './context.js';
import { current } from './named.js';
import { wantedHash } from './passwords.js';
import { findTargets } from './references.js';
import { query, run } from './sql.js';
import { loadTokensBy, shownToken } from './tokens.js';
import { changeUsersAndTokens } from './user-change.js';
import { findUsers } from './user-list.js';
import { changeUsers, loadUsers, removeUsers, shownUser, type UserState } from './users.js';
import type { IssuedSecret, Work } from './work.js';

/** Users with their tokens as the API shows them, in the order of `pks`. */
async function shownUsers(
  db: Knex,
  pks: readonly number[],
  issued: readonly IssuedSecret[] = [],
): Promise<UserRecord[]> {
  const tokens = pks.length === 0 ? [] : await loadTokensBy.users(db, pks);
  const secrets = new Map(issued.map((secret) => [secret.tokenId, secret]));
  const tokensOf = new Map<number, TokenRecord[]>();
  for (const token of tokens) {
    const pk = token.user?.pk ?? 0;
    const list = tokensOf.get(pk) ?? [];
    list.push(withSecret(shownToken(token), secrets.get(token.id)));
    tokensOf.set(pk, list);
  }
  return (await loadUsers(db, pks)).map((user) => shownUser(user, tokensOf.get(user.pk) ?? []));
}

/** A token with what is shown of it once. */
export const withSecret = (token: TokenRecord, issued: IssuedSecret | undefined): TokenRecord =>
  issued === undefined ? token : { ...token, secret: issued.secret, otpauthUri: issued.otpauthUri };

async function shownOne(db: Knex, pk: number, issued: readonly IssuedSecret[] = []): Promise<Result<UserRecord>> {
  const [user] = await shownUsers(db, [pk], issued);
  return user === undefined ? failed({ kind: 'notFound' }) : done(user);
}

async function loadOne(db: Knex, id: string): Promise<UserState | null> {
  const [row] = await query(db, 'select pk from users where id = ?', [id]);
  const [user] = row === undefined ? [] : await loadUsers(db, [row.int('pk')]);
  return user ?? null;
}

/** The users of `context`. */
export function userStore(context: RecordContext): RecordStore['users'] {
  const { db, writer, passwords } = context;

  const write = async (
    before: (work: Work) => Promise<Result<UserState | null>>,
    patch: UserCreate | UserPatch,
    hash: string | null | undefined,
    by: Actor,
  ) => {
    let issued: readonly IssuedSecret[] = [];
    const written = await writer.run(by, async (work) => {
      const found = await before(work);
      if (!found.ok) return found;
      const [user] = await changeUsersAndTokens(
        work,
        [{ before: found.value, patch, passwordHash: hash, at: '' }],
        context,
        'mayNotTake',
      );
      issued = work.issued;
      return done(user?.pk ?? 0);
    });
    return written.ok ? shownOne(db, written.value, issued) : written;
  };

  const changeAliases = (userId: string, by: Actor, next: (aliases: readonly string[]) => readonly string[]) =>
    writer.run(by, async (work) => {
      const user = await loadOne(work.tx, userId);
      if (user === null) return failed({ kind: 'notFound' });
      await changeUsers(work, [
        { before: user, patch: { aliases: [...next(user.aliases)] }, passwordHash: undefined, at: '' },
      ]);
      return done(null);
    });

  return {
    list: async (asked) => {
      const found = await findUsers(db, asked);
      if (!found.ok) return found;
      const page: Page<UserRecord> = {
        items: await shownUsers(db, found.value.items),
        nextCursor: found.value.nextCursor,
      };
      return done(page);
    },
    get: async (id) => {
      const [row] = await query(db, 'select pk from users where id = ?', [id]);
      return row === undefined ? failed({ kind: 'notFound' }) : shownOne(db, row.int('pk'));
    },
    find: async (reference) => {
      const [found] = (await findTargets(db, 'user', [reference])).values();
      return found === undefined ? failed({ kind: 'notFound' }) : shownOne(db, found.pk);
    },
    create: async (input, by) => write(async () => done(null), input, await wantedHash(passwords, input, null), by),
    update: async (id, patch, by, ifMatch) => {
      const present = (await loadOne(db, id))?.passwordHash ?? null;
      const hash = await wantedHash(passwords, patch, present);
      return write(async (work) => current(await loadOne(work.tx, id), ifMatch), patch, hash, by);
    },
    remove: (id, by, ifMatch) =>
      writer.run(by, async (work) => {
        const found = current(await loadOne(work.tx, id), ifMatch);
        if (!found.ok) return found;
        await removeUsers(work, [found.value]);
        return done(null);
      }),
    putAlias: async (userId, alias, by) => {
      const fault = loginFault(alias);
      if (fault !== null) return failed({ kind: 'invalid', errors: [{ pointer: '', message: fault }] });
      return changeAliases(userId, by, (aliases) =>
        aliases.some((each) => same(each, alias)) ? aliases : [...aliases, alias],
      );
    },
    removeAlias: (userId, alias, by) =>
      changeAliases(userId, by, (aliases) => aliases.filter((each) => !same(each, alias))),
    unlock: (userId, by) =>
      writer.run(by, async (work) => {
        const user = await loadOne(work.tx, userId);
        if (user === null) return failed({ kind: 'notFound' });
        await run(work.tx, 'delete from lockouts where user_pk = ?', [user.pk]);
        work.touch('unlock', user.pk);
        work.record({
          action: 'unlocked',
          record: 'user',
          recordId: user.id,
          name: user.login,
          userId: user.id,
          unlockedUserPk: user.pk,
        });
        return done(null);
      }),
    events: (userId, asked) =>
      isId(userId) ? listEvents(db, { ...asked, user: userId }) : Promise.resolve(failed({ kind: 'notFound' })),
  };
}

const same = (a: string, b: string): boolean => nameKey(a) === nameKey(b);
