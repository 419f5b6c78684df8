/** The administrator that `init` makes: the first owner, in a database that is made along with it. */

import type { CreateOwner } from './init.js';
import { commandLineActor, openRecords } from './open-records.js';

/** Makes the database and the owner. */
export const createFirstOwner: CreateOwner = async (config, { login, password }) => {
  const opened = await openRecords(config);
  if (!opened.ok) return opened;
  try {
    const created = await opened.open.records.administrators.create(
      { login, password: password.reveal().toString('utf8'), role: 'owner' },
      commandLineActor(),
    );
    if (created.ok) return { ok: true };
    return { ok: false, message: `the first administrator could not be made: ${created.problem.kind}` };
  } finally {
    await opened.open.close();
  }
};
