/** `sallyport events`: the event log, and what comes to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Argv } from 'yargs';
import { parseDuration } from '../base/duration.js';
import { type EventRecord, OUTCOMES } from '../records/event.js';
import type { EventQuery, RecordStore } from '../store/record-store.js';
import { command, EXIT, type ExitCode, type Io, wrongUsage } from './command.js';
import { configOption, jsonOption } from './shared-options.js';
import { everyItem, withRecords } from './with-records.js';

export interface EventsOptions {
  readonly config: string | undefined;
  readonly user: string | undefined;
  readonly resource: string | undefined;
  readonly client: string | undefined;
  readonly outcome: string | undefined;
  readonly reason: string | undefined;
  readonly kind: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly query: string | undefined;
  readonly limit: number;
  readonly follow: boolean;
  readonly json: boolean;
}

/** Between two looks when following. */
const LOOK_MS = 500;
/** Events of several writers may become visible a little out of order: each look goes back so far, and shows what it has not shown. */
const LATE_MS = 5_000;
const LIMIT = 100;

const options = (yargs: Argv) =>
  yargs.options(configOption).options({
    user: { type: 'string', requiresArg: true, describe: 'Login, alias or id' },
    resource: { type: 'string', requiresArg: true, describe: 'Name or id' },
    client: { type: 'string', requiresArg: true, describe: 'The name of a RADIUS client, LDAP application or API key' },
    outcome: { choices: OUTCOMES, requiresArg: true, describe: 'How it ended' },
    reason: { type: 'string', requiresArg: true, describe: 'Why it was refused' },
    kind: { type: 'string', requiresArg: true, describe: 'authentication, change …' },
    from: { type: 'string', requiresArg: true, describe: 'A time (2026-11-24T12:00Z), or how long ago (15m)' },
    to: { type: 'string', requiresArg: true, describe: 'Likewise; before that time' },
    query: {
      type: 'string',
      requiresArg: true,
      describe: 'A part of login, resource, client, source, reason or actor',
    },
    limit: { type: 'number', default: LIMIT, describe: 'At most so many, the newest; 0: all' },
    follow: { type: 'boolean', default: false, describe: 'Go on with what comes, until interrupted' },
    ...jsonOption,
  });

/** Prints events oldest first; `signal` ends following. */
export async function run(options: EventsOptions, io: Io, signal: AbortSignal = interrupted()): Promise<ExitCode> {
  const now = Date.now();
  const from = instantOf(options.from, now);
  const to = instantOf(options.to, now);
  if (from === null || to === null)
    return wrongUsage(io, 'events', '--from and --to take a time (2026-11-24T12:00Z) or how long ago (15m, 2d)');
  const { user, resource, client, outcome, reason, kind, query } = options;
  const asked: EventQuery = { user, resource, client, outcome, reason, kind, from, to, query };
  return withRecords(options.config, io, async ({ records }) => {
    const seen = new Map<string, number>();
    const show = (events: readonly EventRecord[]) => {
      for (const event of events) {
        if (seen.has(event.id)) continue;
        seen.set(event.id, Date.parse(event.time));
        io.out(options.json ? JSON.stringify(event) : line(event));
      }
    };
    const most = options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY;
    show(await newest(records, asked, most));
    // What the limit left out stays out.
    const recent = { ...asked, from: Math.max(from ?? 0, now - LATE_MS), to: Math.min(to ?? now, now) };
    if (options.follow)
      for (const { id, time } of await newest(records, recent, Number.POSITIVE_INFINITY))
        seen.set(id, Date.parse(time));
    while (options.follow && !signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
      const since = Math.max(from ?? 0, (Math.max(now, ...seen.values()) || now) - LATE_MS);
      for (const [id, time] of seen) if (time < since) seen.delete(id);
      show(await newest(records, { ...asked, from: since }, Number.POSITIVE_INFINITY));
    }
    return EXIT.done;
  });
}

async function newest(records: RecordStore, asked: EventQuery, most: number): Promise<EventRecord[]> {
  const events: EventRecord[] = [];
  for await (const event of everyItem((cursor, limit) => records.events.list({ ...asked, cursor, limit }), most))
    events.push(event);
  return events.reverse();
}

/** Milliseconds since the epoch; undefined where nothing was said, null where it says no time. */
function instantOf(text: string | undefined, now: number): number | undefined | null {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  if (ago !== null) return now - ago;
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

function line(event: EventRecord): string {
  const what =
    event.kind === 'change'
      ? `${text(event.detail?.['action'])} ${text(event.detail?.['record'])} ${text(event.detail?.['name'])}`
      : `${event.outcome ?? event.kind}${event.reason === null ? '' : ` ${event.reason}`}`;
  const where = [
    event.kind === 'change' ? null : event.login,
    event.resource === null ? null : `→ ${event.resource}`,
    event.client === null ? null : `by ${event.client}${event.method === null ? '' : ` (${event.method})`}`,
    event.actor === null ? null : `by ${event.actor}`,
    event.source === null ? null : `from ${event.source}`,
  ];
  return [event.time, what, ...where.filter((part) => part !== null)].join('  ');
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function interrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  return controller.signal;
}

export const eventsCommand = command({
  usage: 'events',
  summary: 'Show the event log',
  options,
  examples: [
    ['events --user alice --from 2h', 'what alice did in the last two hours, and what was done to her'],
    ['events --follow --outcome refused', 'refusals as they come'],
  ],
  notes: 'Oldest first. With --json, one JSON object a line, with the fields of the API.',
  run: (given, io) => run(given, io),
});
