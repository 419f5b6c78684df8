/** `sallyport why LOGIN`: a user's last decisions, rule by rule, what happened at the doors, and how the user stands now. */
import type { Argv } from 'yargs';
import { shortenedLogin } from '../access/names.js';
import { type Instant, systemClock } from '../base/units.js';
import { nearest } from '../config/suggestion.js';
import type { EventRecord } from '../records/event.js';
import type { Result } from '../records/problem.js';
import type { UserRecord } from '../records/user.js';
import { nameKey } from '../records/values.js';
import { locksOf } from '../store/locks.js';
import type { Page, RecordStore } from '../store/record-store.js';
import { command, EXIT, type ExitCode, type Io, wrongUsage } from './command.js';
import { eventText, explain } from './decision-text.js';
import { type Paint, paintFor } from './paint.js';
import { configOption, jsonOption } from './shared-options.js';
import { type UserState, userState, userStateText } from './user-state.js';
import { problemText, withRecords } from './with-records.js';

export interface WhyOptions {
  readonly config: string | undefined;
  /** A login or alias, or what somebody took for one. */
  readonly login: string;
  readonly last: number;
  readonly json: boolean;
}

const LAST = 5;
const LAST_MAX = 500;
/** Names that are nobody's are in no index: the log is read for them no further back than this. */
const NAMES_BACK_MS = 86_400_000;
/** A packet that cannot be believed names nobody: it may be the user's where it came just now. */
const DOOR_BACK_MS = 15 * 60_000;
const DOOR_EVENTS = 3;
/** Users among whom a name that is nearly right is looked for, by its beginning and by its end. */
const CANDIDATES = 500;
const CANDIDATE_PARTS = [3, 2];

/** What is known about a name. */
interface Answer {
  readonly user: UserState | null;
  /** Where the name is nobody's: names that may have been meant. */
  readonly suggestions: readonly string[];
  /** Newest first: decisions, and refusals at a door that carry the name. */
  readonly events: readonly EventRecord[];
  /** Where there is nothing else: what the doors refused lately without a name. */
  readonly atTheDoors: readonly EventRecord[];
}

/** Answers. Fails where the name is nobody's and no event carries it. */
export async function run(options: WhyOptions, io: Io): Promise<ExitCode> {
  const { login, last, json } = options;
  if (!Number.isInteger(last) || last < 1 || last > LAST_MAX)
    return wrongUsage(io, 'why', `--last is a whole number from 1 to ${LAST_MAX}`);
  return withRecords(options.config, io, async ({ records, database }) => {
    const now = systemClock();
    const found = await records.users.find(login);
    const user = found.ok ? found.value : null;
    const [decided, refused] = await Promise.all([
      decisions(records, login, user, last, now),
      doorEvents(records, login, last, now),
    ]);
    const events = [...decided, ...refused].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, last);
    const answer: Answer = {
      user: user === null ? null : await userState(records, user, await locksOf(database.records, user.id, now)),
      suggestions: user === null ? await suggestions(records, login) : [],
      events,
      atTheDoors: events.length === 0 ? await nameless(records, now) : [],
    };
    io.out(json ? JSON.stringify(asJson(login, answer)) : asText(login, answer, paintFor(io.colours)));
    return answer.user === null && events.length === 0 ? EXIT.failed : EXIT.done;
  });
}

/** A user's are in an index; those of a name that is nobody's were mostly stored shortened. */
async function decisions(
  records: RecordStore,
  login: string,
  user: UserRecord | null,
  last: number,
  now: Instant,
): Promise<readonly EventRecord[]> {
  const kind = 'authentication';
  if (user !== null) return items(await records.events.list({ kind, user: user.id, limit: last }));
  const from = now - NAMES_BACK_MS;
  const found: EventRecord[] = [];
  for (const name of new Set([login, shortenedLogin(login)]))
    found.push(...items(await records.events.list({ kind, user: name, from, limit: last })));
  return found;
}

/** Events of the doors whose name is `login`, in whatever form it was sent. */
async function doorEvents(records: RecordStore, login: string, last: number, now: Instant): Promise<EventRecord[]> {
  const asked = { kind: 'door', query: login, from: now - NAMES_BACK_MS, limit: LAST_MAX };
  const key = nameKey(login);
  return items(await records.events.list(asked))
    .filter((event) => event.login !== null && namesIn(event.login).includes(key))
    .slice(0, last);
}

/** What a name that was sent may mean: itself, the part beside a domain, the value in a DN's first part. */
function namesIn(sent: string): readonly string[] {
  const rdn = /^\s*(?:uid|cn)\s*=\s*([^,+]+)/i.exec(sent)?.[1];
  const bare = [sent.slice(sent.indexOf('\\') + 1), sent.replace(/@[^@]*$/, '')];
  return [sent, ...bare, ...(rdn === undefined ? [] : [rdn.trim()])].map(nameKey);
}

async function nameless(records: RecordStore, now: Instant): Promise<readonly EventRecord[]> {
  const asked = { kind: 'door', from: now - DOOR_BACK_MS, limit: LAST_MAX };
  return items(await records.events.list(asked))
    .filter((event) => event.login === null)
    .slice(0, DOOR_EVENTS);
}

/** Names of users that `login` may have been meant for: without its domain, or nearly written like it. */
async function suggestions(records: RecordStore, login: string): Promise<readonly string[]> {
  for (const bare of namesIn(login)) {
    const found = bare === '' ? null : await records.users.find(bare);
    if (found?.ok === true) return [found.value.login];
  }
  const parts = new Set(CANDIDATE_PARTS.flatMap((length) => [login.slice(0, length), login.slice(-length)]));
  const names = new Set<string>();
  for (const part of parts) {
    for (const user of items(await records.users.list({ query: part, limit: CANDIDATES })))
      for (const name of [user.login, ...user.aliases]) names.add(name);
  }
  const near: string[] = [];
  for (let next = nearest(login, [...names]); next !== null && near.length < 3; next = nearest(login, [...names])) {
    near.push(next);
    names.delete(next);
  }
  return near;
}

/** What was asked for is right, so there is no problem but a bug. */
function items<T>(listed: Result<Page<T>>): readonly T[] {
  if (!listed.ok) throw new Error(problemText(listed.problem));
  return listed.value.items;
}

const asJson = (login: string, { user, suggestions, events, atTheDoors }: Answer) => ({
  login,
  user,
  suggestions,
  decisions: events.map((event) => ({ ...event, ...explain(event) })),
  atTheDoors: atTheDoors.map((event) => ({ ...event, ...explain(event) })),
});

function asText(login: string, { user, suggestions, events, atTheDoors }: Answer, paint: Paint): string {
  const parts = events.map((event) => eventText(event, paint));
  if (user === null) {
    const meant = suggestions.length === 0 ? '' : ` Did you mean ${suggestions.join(' or ')}?`;
    const seen = events.length === 0 ? ' Within the last day no request carried that name.' : '';
    parts.push(`${login} is neither the login nor an alias of a user.${meant}${seen}${domainHint(login, suggestions)}`);
  } else {
    if (events.length === 0)
      parts.push(
        `No decision about ${user.login} is in the log. If somebody tried: the request did not arrive, it came from a client that is not ` +
          'known or is not believed, or it carried another name. sallyport events --from 15m shows all that came.',
      );
    parts.push(userStateText(user));
  }
  if (atTheDoors.length > 0)
    parts.push('Lately at the doors, without a name:', ...atTheDoors.map((event) => eventText(event, paint)));
  return parts.join('\n\n');
}

function domainHint(login: string, [meant]: readonly string[]): string {
  if (meant === undefined || nameKey(meant) === nameKey(login)) return '';
  const domain = /^(.+)\\|@([^@]+)$/.exec(login);
  const named = domain?.[1] ?? domain?.[2];
  return named === undefined ? '' : ` To take ${login} for ${meant}, list ${named} in the domains of the client.`;
}

export const whyCommand = command({
  usage: 'why <login>',
  summary: "Explain a user's last decisions, rule by rule",
  options: (yargs: Argv) =>
    yargs
      .positional('login', {
        type: 'string',
        demandOption: true,
        describe: 'Login or alias, or the name as it was sent',
      })
      .options(configOption)
      .option('last', { type: 'number', default: LAST, requiresArg: true, describe: 'How many, newest first' })
      .options(jsonOption),
  examples: [
    ['why alice', 'why she was let in or kept out, and how she stands now'],
    ["why 'CORP\\alice' --last 1", 'the last request under that name'],
  ],
  notes:
    '✓ holds, ✗ fails, – does not apply or was not asked; the first that fails is the reason. Times are UTC. The user and the NAS learn ' +
    'nothing but a refusal. Names that are nobody’s are looked for within the last day, where the log keeps their beginning alone.',
  run,
});
