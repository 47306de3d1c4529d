import { and, desc, eq, inArray, sql } from "drizzle-orm";
import type { HistoryEntry } from "#fleet";
import type { Database } from "./generations.ts";
import { historyEntryOf } from "./rows.ts";
import { machineEvents } from "./schema.ts";

export interface EventFilter {
  readonly machineId: string;
  readonly types: readonly HistoryEntry["type"][];
  /** Event id: only what came before that event. */
  readonly before?: string;
  readonly limit: number;
}

/** A machine's events, the latest first, whichever logs they stand in: by clock across logs, by sequence within one. */
export async function listEvents(db: Database, filter: EventFilter): Promise<HistoryEntry[]> {
  const { machineId, types, before, limit } = filter;
  const { clock, log, sequence } = machineEvents;
  const place = sql`(${clock}, ${log}, ${sequence})`;
  const mark = db
    .select({ clock, log, sequence })
    .from(machineEvents)
    .where(and(eq(machineEvents.machineId, machineId), eq(machineEvents.eventId, before ?? "")));
  const rows = await db
    .select()
    .from(machineEvents)
    .where(
      and(
        eq(machineEvents.machineId, machineId),
        inArray(machineEvents.type, [...types]),
        before === undefined ? undefined : sql`${place} < (${mark})`,
      ),
    )
    .orderBy(desc(clock), desc(log), desc(sequence))
    .limit(limit);
  return rows.map(historyEntryOf);
}
