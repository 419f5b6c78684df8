/** Reads users and tokens from a CSV file, one after the other, however long it is. RFC 4180, UTF-8, with or without a byte order mark. */
import { createReadStream } from 'node:fs';
import { CsvError, parse } from 'csv-parse';
import { type Column, type ImportedUser, joinRows, type RowFault, readHeader, readRow } from '../records/import-row.js';

/** A row longer than this is no row, but a quote that was never closed. */
const ROW_OCTETS = 65_536;
const READ_OCTETS = 262_144;

/** Some users in the file's order, with what is wrong with each; or what makes the rest unreadable. */
export type CsvPart =
  | { readonly kind: 'users'; readonly columns: readonly Column[]; readonly users: readonly CheckedUser[] }
  | { readonly kind: 'unreadable'; readonly faults: readonly RowFault[] };

export interface CheckedUser {
  readonly user: ImportedUser;
  readonly faults: readonly RowFault[];
}

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/** Parts of at most `size` users. Rejects where the file cannot be read. */
export async function* readCsvUsers(file: string, size: number): AsyncGenerator<CsvPart> {
  const parser = createReadStream(file, { highWaterMark: READ_OCTETS }).pipe(
    parse({
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: ROW_OCTETS,
    }),
  );
  let columns: readonly Column[] | null = null;
  let open: { user: ImportedUser; faults: RowFault[] } | null = null;
  let users: CheckedUser[] = [];
  try {
    for await (const row of parser) {
      const { record, info }: Parsed = row;
      if (columns === null) {
        const header = readHeader(record);
        if (header.faults.length > 0) return yield { kind: 'unreadable', faults: header.faults };
        columns = header.columns;
        continue;
      }
      const faults: RowFault[] = [];
      const user = readRow(columns, record, info.lines, faults);
      const joined: ImportedUser | null = open === null ? null : joinRows(open.user, user, faults);
      if (open !== null && joined !== null) {
        open = { user: joined, faults: [...open.faults, ...faults] };
        continue;
      }
      if (open !== null) users.push(open);
      open = { user, faults };
      if (users.length >= size) {
        yield { kind: 'users', columns, users };
        users = [];
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    yield {
      kind: 'unreadable',
      faults: [{ line: Number(error['lines'] ?? 0), column: null, message: csvMessage(error) }],
    };
    return;
  }
  if (columns === null)
    return yield { kind: 'unreadable', faults: [{ line: 1, column: null, message: 'the file is empty' }] };
  if (open !== null) users.push(open);
  if (users.length > 0) yield { kind: 'users', columns, users };
}

function csvMessage(error: CsvError): string {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED' || error.code === 'CSV_MAX_RECORD_SIZE')
    return 'a quote is opened here and never closed';
  if (error.code === 'CSV_INVALID_CLOSING_QUOTE' || error.code === 'INVALID_OPENING_QUOTE')
    return 'a quote stands inside a cell; quote the cell and double the quote inside it';
  return 'is no CSV';
}
