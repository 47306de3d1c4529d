import { and, count, eq, sql } from "drizzle-orm";
import type { AppRecord } from "#control";
import type { Database } from "./generations.ts";
import { currentLogs, speaksFor } from "./list-machines.ts";
import { apps, machines } from "./schema.ts";

/** An app, and how many machines of it there are. */
export interface StoredApp {
  readonly app: AppRecord;
  readonly machineCount: number;
}

/** The apps of one organization, or all, in the order of their creation. */
export async function listApps(db: Database, orgSlug?: string): Promise<StoredApp[]> {
  const counted = db
    .with(currentLogs(db))
    .select({ appName: machines.appName, machineCount: count().as("machine_count") })
    .from(machines)
    .where(and(speaksFor(db), eq(machines.ended, false)))
    .groupBy(machines.appName)
    .as("counted");
  return db
    .select({ app: apps, machineCount: sql<number>`coalesce(${counted.machineCount}, 0)`.mapWith(Number) })
    .from(apps)
    .leftJoin(counted, eq(counted.appName, apps.name))
    .where(and(eq(apps.deleted, false), orgSlug === undefined ? undefined : eq(apps.orgSlug, orgSlug)))
    .orderBy(apps.createdAtMs, apps.name);
}
