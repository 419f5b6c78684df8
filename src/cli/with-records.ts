/** What commands on records share: opening and closing, refusals in words, and finding a record by what people call it. */

import type { Path } from '../config/problem.js';
import type { RecordProblem, Result } from '../records/problem.js';
import type { Page } from '../store/record-store.js';
import { EXIT, type ExitCode, type Io } from './command.js';
import { configurationFor } from './configuration.js';
import { type OpenRecords, openRecords } from './open-records.js';

/** Opens the records that `--config` names, runs `job`, closes them. What cannot be opened has been told. */
export async function withRecords(
  given: string | undefined,
  io: Io,
  job: (open: OpenRecords) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = configurationFor(given, io);
  if (config === null) return EXIT.usage;
  const opened = await openRecords(config);
  if (!opened.ok) {
    io.err(opened.message);
    return EXIT.failed;
  }
  try {
    return await job(opened.open);
  } finally {
    await opened.open.close();
  }
}

/** A refusal in words, a line for each thing that is wrong. */
export function problemText(problem: RecordProblem): string {
  switch (problem.kind) {
    case 'invalid':
      return problem.errors
        .map(({ pointer, message }) => (pointer === '' ? message : `${fieldText(pointer)}: ${message}`))
        .join('\n');
    case 'conflict':
      return `${problem.pointer === '' ? '' : `${fieldText(problem.pointer)}: `}${problem.message} (${problem.with})`;
    case 'notFound':
      return 'there is no such record';
    case 'stale':
      return 'the record has changed meanwhile';
    case 'limit':
      return `the plan allows ${problem.limit} ${problem.which}`;
    case 'badCursor':
      return 'the cursor is none of ours';
  }
}

/** Prints the value of a result by `print`, or says why there is none. */
export function told<T>(io: Io, result: Result<T>, print: (value: T) => void): ExitCode {
  if (result.ok) {
    print(result.value);
    return EXIT.done;
  }
  io.err(problemText(result.problem));
  return EXIT.failed;
}

const fieldText = (pointer: string): string => pointerPath(pointer).map(String).join('.');

/** A JSON pointer as a path into a document. */
export const pointerPath = (pointer: string): Path =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

/** Every item of a list, part by part, at most `limit` of them. */
export async function* everyItem<T>(
  part: (cursor: string | undefined, limit: number) => Promise<Result<Page<T>>>,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<T> {
  let cursor: string | undefined;
  for (let left = limit; left > 0; ) {
    const page = await part(cursor, Math.min(500, left));
    if (!page.ok) throw new Error(problemText(page.problem));
    yield* page.value.items;
    left -= page.value.items.length;
    if (page.value.nextCursor === null) return;
    cursor = page.value.nextCursor;
  }
}

/** Rows in columns, the first row being the heads. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A list: a table, or with `json` one JSON text a line, as they come. */
export async function printList<T>(
  io: Io,
  json: boolean,
  items: AsyncIterable<T>,
  heads: readonly string[],
  cells: (item: T) => readonly string[],
): Promise<void> {
  const rows: (readonly string[])[] = [heads];
  for await (const item of items) {
    if (json) io.out(JSON.stringify(item));
    else rows.push(cells(item));
  }
  if (!json) io.out(columns(rows));
}
