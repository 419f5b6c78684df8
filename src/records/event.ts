/** Events as the API shows them. */
import { z } from 'zod';

export const OUTCOMES = ['accepted', 'refused', 'challenged', 'unavailable'] as const;

/** One line of the log; null where a field does not apply. */
export const eventRecord = z.object({
  id: z.string(),
  time: z.iso.datetime(),
  /** `authentication`, `change` … */
  kind: z.string(),
  outcome: z.enum(OUTCOMES).nullable(),
  reason: z.string().nullable(),
  login: z.string().nullable(),
  userId: z.string().nullable(),
  resource: z.string().nullable(),
  client: z.string().nullable(),
  source: z.string().nullable(),
  method: z.string().nullable(),
  door: z.string().nullable(),
  durationMicros: z.number().nullable(),
  trace: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()).nullable(),
  /** Who made a change. */
  actor: z.string().nullable(),
});
export type EventRecord = z.output<typeof eventRecord>;
