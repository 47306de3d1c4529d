import { and, desc, eq, exists, gt, inArray, notExists, or, type SQL, sql } from "drizzle-orm";
import { type AnyPgColumn, alias } from "drizzle-orm/pg-core";
import type { Machine, MachineStateName } from "#machines";
import type { Database } from "./generations.ts";
import { apps, hosts, machines, registrations, successions } from "./schema.ts";

/** A machine and the host whose log tells of it. */
export interface StoredMachine {
  readonly machine: Machine;
  readonly hostId: string;
}

/** Where a list went to: the next page begins after it. */
export interface PageMark {
  readonly updatedAtMs: number;
  readonly machineId: string;
}

export interface MachineFilter {
  readonly machineId?: string;
  readonly appName?: string;
  readonly orgSlug?: string;
  readonly region?: string;
  readonly states?: readonly MachineStateName[];
  /** All of these, exactly. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Also those that are gone. */
  readonly includeEnded?: boolean;
  readonly updatedAfterMs?: number;
  /** Pages are in the order of updates, the oldest first. Without one machines come in the order of their creation. */
  readonly page?: { readonly after?: PageMark; readonly limit: number };
}

/** The machines that fit a filter, each as the log that speaks for it tells. */
export async function listMachines(db: Database, filter: MachineFilter): Promise<StoredMachine[]> {
  const { page } = filter;
  const query = db
    .with(currentLogs(db))
    .select({ machine: machines.body, hostId: hosts.hostId })
    .from(machines)
    .innerJoin(hosts, eq(hosts.log, machines.log))
    .where(and(speaksFor(db), ...conditions(db, filter)));
  if (page === undefined) return query.orderBy(machines.createdAtMs, machines.id);
  return query.orderBy(machines.updatedAtMs, machines.id).limit(page.limit);
}

function conditions(db: Database, filter: MachineFilter): (SQL | undefined)[] {
  const { machineId, appName, orgSlug, region, states, metadata = {}, page } = filter;
  const { includeEnded, updatedAfterMs } = filter;
  const after = page?.after;
  return [
    machineId === undefined ? undefined : eq(machines.id, machineId),
    appName === undefined ? undefined : eq(machines.appName, appName),
    orgSlug === undefined ? undefined : ofOrganization(db, orgSlug),
    region === undefined ? undefined : eq(machines.region, region),
    states === undefined ? undefined : inArray(machines.state, [...states]),
    Object.keys(metadata).length === 0
      ? undefined
      : sql`${machines.metadata} @> ${JSON.stringify(metadata)}::jsonb`,
    includeEnded === true ? undefined : eq(machines.ended, false),
    updatedAfterMs === undefined ? undefined : gt(machines.updatedAtMs, updatedAfterMs),
    after === undefined
      ? undefined
      : sql`(${machines.updatedAtMs}, ${machines.id}) > (${after.updatedAtMs}::bigint, ${after.machineId}::text)`,
  ];
}

function ofOrganization(db: Database, orgSlug: string): SQL {
  const app = db
    .select()
    .from(apps)
    .where(and(eq(apps.name, machines.appName), eq(apps.orgSlug, orgSlug)));
  return exists(app);
}

/** Each host's log of today: not succeeded by another, and the registered one should there still be several. */
export function currentLogs(db: Database) {
  const succeeded = db
    .select()
    .from(successions)
    .where(and(eq(successions.log, hosts.log), eq(successions.hostId, hosts.hostId)));
  return db.$with("current_logs").as(
    db
      .selectDistinctOn([hosts.hostId], { log: hosts.log })
      .from(hosts)
      .leftJoin(registrations, eq(registrations.hostId, hosts.hostId))
      .where(notExists(succeeded))
      .orderBy(
        hosts.hostId,
        desc(sql`coalesce(${registrations.log} = ${hosts.log}, false)`),
        // Log ids are ULIDs: the later one is the greater.
        desc(hosts.log),
      ),
  );
}

/**
 * Whether a row is what its machine is now. Of a log that is not its host's any more only what ended counts; of several
 * that count, the one with the highest epoch, then the latest log (F30).
 */
export function speaksFor(db: Database): SQL | undefined {
  const rival = alias(machines, "rival");
  const better = db
    .select()
    .from(rival)
    .where(
      and(
        eq(rival.id, machines.id),
        counts(rival),
        sql`(${rival.epoch}, ${rival.log}) > (${machines.epoch}, ${machines.log})`,
      ),
    );
  return and(counts(machines), notExists(better));
}

function counts({ log, ended }: { readonly log: AnyPgColumn; readonly ended: AnyPgColumn }): SQL | undefined {
  return or(eq(ended, true), sql`${log} in (select log from current_logs)`);
}
