/** Where the change feed stands, in SQL: see feed.ts for the two engines' orders. */

/** SQL for "where the feed stands", to be read in the same statement as records. Yields one integer. */
export const POSITION_SQL = {
  sqlite: '(select max(seq) from changes)',
  postgres: '(pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)',
} as const;
