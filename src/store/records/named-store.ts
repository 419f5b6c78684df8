/** The five ways to deal with a kind of named records, from what distinguishes the kind. */
import { done, failed } from '../../records/problem.js';
import type { Kind, NameQuery } from '../record-store.js';
import type { RecordContext } from './context.js';
import { current, type Head, listNamed, loadById, type Spec } from './named.js';
import type { Work } from './work.js';

/** A kind: how it is shown, changed (`before` null: made) and removed. `prepare` does what takes long, before the transaction. */
export interface NamedKind<S extends Head, Shown, Create, Patch, Prepared> {
  readonly spec: Spec<S>;
  shown(state: S): Shown;
  prepare(patch: Create | Patch, before: S | null): Promise<Prepared>;
  change(work: Work, before: S | null, patch: Create | Patch, prepared: Prepared): Promise<readonly S[]>;
  remove(work: Work, state: S): Promise<void>;
}

/** The kind as the record store offers it. */
export function namedStore<S extends Head, Shown, Create, Patch, Prepared>(
  { db, writer }: RecordContext,
  kind: NamedKind<S, Shown, Create, Patch, Prepared>,
): Kind<Shown, Create, Patch, NameQuery> {
  const { spec } = kind;
  return {
    list: async (asked) => {
      const listed = await listNamed(db, spec, asked);
      return listed.ok ? done({ ...listed.value, items: listed.value.items.map(kind.shown) }) : listed;
    },
    get: async (id) => {
      const state = await loadById(db, spec, id);
      return state === null ? failed({ kind: 'notFound' }) : done(kind.shown(state));
    },
    create: async (input, by) => {
      const prepared = await kind.prepare(input, null);
      return writer.run(by, async (work) => one(await kind.change(work, null, input, prepared), kind.shown));
    },
    update: async (id, patch, by, ifMatch) => {
      const prepared = await kind.prepare(patch, await loadById(db, spec, id));
      return writer.run(by, async (work) => {
        const found = current(await loadById(work.tx, spec, id), ifMatch);
        return found.ok ? one(await kind.change(work, found.value, patch, prepared), kind.shown) : found;
      });
    },
    remove: (id, by, ifMatch) =>
      writer.run(by, async (work) => {
        const found = current(await loadById(work.tx, spec, id), ifMatch);
        if (!found.ok) return found;
        await kind.remove(work, found.value);
        return done(null);
      }),
  };
}

function one<S, Shown>([state]: readonly S[], shown: (state: S) => Shown) {
  if (state === undefined) throw new Error('a change of one record gives one record');
  return done(shown(state));
}
