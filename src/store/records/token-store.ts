/** Tokens as the record store offers them. */
import type { Knex } from 'knex';
import { done, failed, type Result } from '../../records/problem.js';
import type { TokenRecord } from '../../records/token.js';
import { isId, nameKey } from '../../records/values.js';
import type { Page, RecordStore, TokenQuery } from '../record-store.js';
import type { RecordContext } from './context.js';
import { current } from './named.js';
import { limitOf, page, readCursor } from './paging.js';
import { findTargets, type Target, target } from './references.js';
import { containing, isSqlite, type Value } from './sql.js';
import { changeTokens, destroyTokens, loadTokens, loadTokensBy, shownToken, type TokenState } from './tokens.js';
import { withSecret } from './user-store.js';
import type { IssuedSecret, Work } from './work.js';

async function loadOne(db: Knex, id: string): Promise<TokenState | null> {
  const [token] = await loadTokensBy.ids(db, [id]);
  return token ?? null;
}

async function shownOne(db: Knex, id: string, issued?: IssuedSecret): Promise<Result<TokenRecord>> {
  const token = await loadOne(db, id);
  return token === null ? failed({ kind: 'notFound' }) : done(withSecret(shownToken(token), issued));
}

/** What a body says of the user: undefined leaves it, null is stock. */
async function userOf(work: Work, reference: string | null | undefined): Promise<Target | null | undefined> {
  if (reference === undefined || reference === null) return reference;
  return target(work, await findTargets(work.tx, 'user', [reference]), 'user', reference, '/user');
}

/** The tokens of `context`. */
export function tokenStore(context: RecordContext): RecordStore['tokens'] {
  const { db, writer } = context;
  return {
    list: (asked) => listTokens(db, asked),
    get: (id) => shownOne(db, id),
    find: async (reference) => {
      const [token] = await (isId(reference)
        ? loadTokensBy.ids(db, [reference])
        : loadTokensBy.serials(db, [reference]));
      return token === undefined ? failed({ kind: 'notFound' }) : done(shownToken(token));
    },
    create: async (input, by) => {
      const made = await writer.run(by, async (work) => {
        const user = (await userOf(work, input.user)) ?? null;
        await changeTokens(work, [{ before: null, patch: input, user, at: '' }], [], context);
        return done(work.issued[0]);
      });
      return made.ok ? shownOne(db, made.value?.tokenId ?? '', made.value) : made;
    },
    update: async (id, patch, by, ifMatch) => {
      const changed = await writer.run(by, async (work) => {
        const found = current(await loadOne(work.tx, id), ifMatch);
        if (!found.ok) return found;
        await changeTokens(
          work,
          [{ before: found.value, patch, user: await userOf(work, patch.user), at: '' }],
          [],
          context,
        );
        return done(null);
      });
      return changed.ok ? shownOne(db, id) : changed;
    },
    remove: (id, by, ifMatch) =>
      writer.run(by, async (work) => {
        const found = current(await loadOne(work.tx, id), ifMatch);
        if (!found.ok) return found;
        await destroyTokens(work, [found.value]);
        return done(null);
      }),
  };
}

async function listTokens(db: Knex, asked: TokenQuery): Promise<Result<Page<TokenRecord>>> {
  const cursor = readCursor(asked.cursor);
  if (cursor === undefined) return failed({ kind: 'badCursor' });
  const where = ['t.pk > ?'];
  const bindings: Value[] = [Number(cursor?.[0] ?? 0) || 0];
  const add = (condition: string, ...values: Value[]) => {
    where.push(condition);
    bindings.push(...values);
  };
  if (asked.user !== undefined) {
    const [user] = (await findTargets(db, 'user', [asked.user])).values();
    add('t.user_pk = ?', user?.pk ?? 0);
  }
  if (asked.serial !== undefined) add('t.serial = ?', asked.serial);
  if (asked.type !== undefined) add('t.type = ?', asked.type);
  if (asked.active !== undefined) add('t.active = ?', asked.active);
  if (asked.inStock !== undefined) add(`t.user_pk is ${asked.inStock ? '' : 'not '}null`);
  if (asked.query !== undefined && asked.query !== '') {
    const like = isSqlite(db) ? 'like' : 'ilike';
    const pattern = containing(nameKey(asked.query));
    add(`(t.serial ${like} ? escape '\\' or t.name ${like} ? escape '\\')`, pattern, pattern);
  }
  const limit = limitOf(asked);
  const tokens = await loadTokens(db, `where ${where.join(' and ')} order by t.pk limit ?`, [...bindings, limit + 1]);
  const part = page(tokens, limit, ({ pk }) => [pk]);
  return done({ items: part.items.map(shownToken), nextCursor: part.nextCursor });
}
