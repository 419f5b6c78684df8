/** What is measured. Each returns figures alone; report.mjs puts them into words. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copy, importUsers, serve, setUp, writeUsers } from './installation.mjs';
import { ldapLoad, radiusLoad, steadyRadiusLoad } from './load.mjs';
import { residentMemory } from './machine.mjs';
import { FREERADIUS, SLAPD, SLAPD_PREFIX, startPeer } from './peers.mjs';

/** A round ends when each user was asked; where that takes longer than this (s), it ends then. */
const RADIUS_SECONDS = 30;

/** Sign-ins a second beside the import: a busy morning, and far below what would be an answer to how many it can do. */
const STEADY_RATE = 100;
/** After so long (s), two steps, the code is another, whatever the window: then a user may be asked again. */
const SAME_USER_AFTER = 60;
const STARTS = 3;

const remove = (folder) => rmSync(folder, { recursive: true, force: true });

/**
 * RADIUS, PAP and TOTP, side by side with FreeRADIUS: many at once, then one alone.
 *
 * Each of our rounds is a daemon just started on a copy of the same installation, to which nobody has signed in, so each user
 * is new to it and no code is used. FreeRADIUS keeps no record of codes, has its users in memory, and stays.
 */
export async function compareRadius(sizes, folder, say) {
  const installation = await installationOf(sizes.radiusUsers, join(folder, 'radius'), say);
  const ours = roundOnCopy(installation, join(folder, 'round'));
  const theirs = await peerOf(FREERADIUS, join(folder, 'freeradius'), sizes.radiusUsers, say);
  const many = { users: sizes.radiusUsers, seconds: RADIUS_SECONDS };
  const alone = { users: sizes.radiusUsers, asks: sizes.aloneRadius, seconds: RADIUS_SECONDS };
  const compare = (title, window, asked) =>
    alternately(sizes.rounds, `RADIUS, ${title}`, say, {
      Sallyport: () => ours((daemon) => radiusLoad(daemon.radiusPort, window, asked)),
      [FREERADIUS.name]: theirs && (async () => withMemory(theirs.pid, await radiusLoad(theirs.port, window, asked))),
    });
  const figures = {
    many: await compare(`${sizes.window} in flight`, sizes.window, many),
    alone: await compare('one alone', 1, alone),
  };
  await theirs?.stop();
  for (const name of ['radius', 'freeradius']) remove(join(folder, name));
  return figures;
}

/**
 * LDAP binds, side by side with slapd: many connections, then one. slapd keeps what was used, so each of its rounds has
 * users of its own; no round needs to wait for the next code.
 */
export async function compareLdap(sizes, folder, say) {
  const installation = await installationOf(sizes.ldapUsers, join(folder, 'ldap'), say);
  const ours = roundOnCopy(installation, join(folder, 'round'));
  const theirs = await peerOf(SLAPD, join(folder, 'slapd'), sizes.ldapUsers, say);
  const forOne = sizes.aloneLdap * sizes.rounds;
  const share = Math.floor((sizes.ldapUsers - forOne) / sizes.rounds);
  const seconds = sizes.ldapSeconds;
  const compare = (title, connections, ourUsers, theirUsers) =>
    alternately(sizes.rounds, `LDAP, ${title}`, say, {
      Sallyport: () => ours((daemon) => ldapLoad(daemon.ldapPort, connections, ourUsers)),
      [SLAPD.name]:
        theirs &&
        (async (round) =>
          withMemory(theirs.pid, await ldapLoad(theirs.port, connections, theirUsers(round), SLAPD_PREFIX))),
    });
  const figures = {
    many: await compare(
      `${sizes.connections} connections`,
      sizes.connections,
      { users: sizes.ldapUsers, seconds },
      (round) => ({ first: round * share, users: share, seconds }),
    ),
    alone: await compare('one connection', 1, { users: sizes.ldapUsers, asks: sizes.aloneLdap, seconds }, (round) => ({
      first: sizes.ldapUsers - forOne + round * sizes.aloneLdap,
      users: sizes.aloneLdap,
      seconds,
    })),
  };
  await theirs?.stop();
  for (const name of ['ldap', 'slapd']) remove(join(folder, name));
  return figures;
}

/** Many users in one daemon: import while it answers others, start-up, memory after some of them signed in. */
export async function measureMany(sizes, folder, say) {
  const installation = join(folder, 'many');
  const before = { first: sizes.manyUsers, users: STEADY_RATE * sizes.quietSeconds * 2 };
  const beside = { first: before.first + before.users, users: STEADY_RATE * SAME_USER_AFTER };
  const early = before.users + beside.users;
  say(`setting up an installation with ${early} users`);
  await setUp(installation);
  await importUsers(installation, await writeUsers(folder, before.first, early));
  const csv = await writeUsers(folder, 0, sizes.manyUsers);

  let daemon = await serve(installation);
  const quiet = await steadily(daemon, before, () => sleep(sizes.quietSeconds * 1000));
  say(`importing ${sizes.manyUsers} users while ${STEADY_RATE} a second sign in`);
  let importSeconds = 0;
  const meanwhile = await steadily(daemon, beside, async () => {
    importSeconds = await importUsers(installation, csv);
  });
  await daemon.stop();
  say(`imported in ${importSeconds.toFixed(1)} s`);

  const startSeconds = [];
  for (let n = 0; n < STARTS; n++) {
    daemon = await serve(installation);
    startSeconds.push(daemon.startSeconds);
    if (n < STARTS - 1) await daemon.stop();
  }
  say(`signing ${sizes.servedUsers} of them in`);
  const served = await radiusLoad(daemon.radiusPort, sizes.window, {
    users: sizes.manyUsers,
    asks: sizes.servedUsers,
    seconds: RADIUS_SECONDS,
  });
  const memory = residentMemory(daemon.pid);
  await daemon.stop();
  remove(installation);
  return { steadyRate: STEADY_RATE, quiet, meanwhile, importSeconds, startSeconds, served, memory };
}

/** `rounds` rounds of every server that is there, in turn. Returns them in that order, each with its server's name. */
async function alternately(rounds, title, say, servers) {
  const done = [];
  for (let round = 0; round < rounds; round++) {
    for (const [server, measure] of Object.entries(servers)) {
      if (!measure) continue;
      const figures = await measure(round);
      const refused = figures.asked - figures.accepted;
      say(
        `${title}: ${server} ${Math.round(figures.perSecond)}/s, p50 ${figures.p50} ms, p99 ${figures.p99} ms${refused === 0 ? '' : `, ${refused} not accepted`}`,
      );
      done.push({ server, round: round + 1, ...figures });
    }
  }
  return done;
}

const withMemory = (pid, figures) => ({ ...figures, memory: residentMemory(pid) });

function roundOnCopy(installation, place) {
  return async (load) => {
    await copy(installation, place);
    const daemon = await serve(place);
    const figures = withMemory(daemon.pid, await load(daemon));
    await daemon.stop();
    remove(place);
    return figures;
  };
}

async function installationOf(users, folder, say) {
  say(`setting up an installation with ${users} users`);
  await setUp(folder);
  await importUsers(folder, await writeUsers(folder, 0, users));
  return folder;
}

/** Null where the peer is not installed. */
async function peerOf(peer, folder, users, say) {
  if (!peer.present) return null;
  say(`starting ${peer.name} with ${users} users`);
  return startPeer(peer, folder, users);
}

/** What others saw who signed in all the while. */
async function steadily(daemon, users, work) {
  const load = steadyRadiusLoad(daemon.radiusPort, STEADY_RATE, users);
  await work();
  return load.finish();
}
