/**
 * Whether the master key is the one that the database was made with. A known text is sealed into `meta` at the first use; a
 * key that does not open it is reported before anything is served, rather than by every token that fails.
 */
import type { Knex } from 'knex';
import { Secret } from '../base/secret.js';
import type { Seal } from './seal.js';

const ROW = 'keyCheck';
const KNOWN = Secret.of('this is the master key');

/** `wrong`: the row was sealed under another key, or altered. Rejects where the database cannot be reached. */
export async function checkMasterKey(db: Knex, seal: Seal): Promise<'ok' | 'wrong'> {
  // Two first uses at once: one row stands, and both read it.
  const known = await readRow(db);
  if (known === null) {
    await db.raw('insert into meta (key, value) values (?, ?) on conflict (key) do nothing', [
      ROW,
      seal.seal('meta.check', ROW, KNOWN),
    ]);
  }
  const box = known ?? (await readRow(db));
  if (box === null) throw new Error('the row that checks the master key was written and is not there');
  return seal.openSecret('meta.check', ROW, box)?.equals(KNOWN) === true ? 'ok' : 'wrong';
}

async function readRow(db: Knex): Promise<string | null> {
  const row: { value: string } | undefined = await db('meta').where({ key: ROW }).first('value');
  return row?.value ?? null;
}
