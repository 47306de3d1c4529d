import { bigint, boolean, index, integer, json, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import type { MachineExit } from "#contracts";
import type { FeedCursors } from "#event-log";
import type { StepError } from "#kernel";
import type { Machine, MachineStateName } from "#machines";

/*
 * The tables of one generation. All of them can be made again from the logs. They name no schema: a generation has one of
 * its own, which its connection's search path leads to. After a change: `npm run migrations`.
 */

/** Epoch milliseconds and sequences: both stay below 2^53. */
const count = (name: string) => bigint(name, { mode: "number" });

/** One row: what this generation is, and how far it goes. */
export const generation = pgTable("generation", {
  id: integer("id").primaryKey(),
  /** What wrote it: rows of another shape are never written or read (F05). */
  shape: text("shape").notNull(),
  /** Grows with every write: two writers cannot both go on from the same one. */
  revision: count("revision").notNull(),
  createdAtMs: count("created_at_ms").notNull(),
  /** Events that it took so far, and how many of them had to be set aside. */
  events: count("events").notNull(),
  quarantined: count("quarantined").notNull(),
  /** When it had caught up for the first time, and with how many events: from then on it may be read. */
  completedAtMs: count("completed_at_ms"),
  completedEvents: count("completed_events"),
  cursors: json("cursors").$type<FeedCursors>(),
});

/** How far each log was folded, written with the rows that follow from it. */
export const positions = pgTable("positions", {
  log: text("log").primaryKey(),
  /** Null for CONTROL. */
  hostId: text("host_id"),
  applied: count("applied").notNull(),
  known: count("known").notNull(),
  /** Another log of its host began with its state. */
  succeeded: boolean("succeeded").notNull(),
  fleetSequence: count("fleet_sequence").notNull(),
});

/** Events that could not be folded or written (I10). */
export const quarantined = pgTable(
  "quarantined",
  {
    log: text("log").notNull(),
    sequence: count("sequence").notNull(),
    reason: text("reason").notNull(),
    detail: text("detail").notNull(),
    subject: text("subject").notNull(),
    type: text("type"),
  },
  (table) => [primaryKey({ columns: [table.log, table.sequence] })],
);

export const apps = pgTable("apps", {
  name: text("name").primaryKey(),
  id: text("id").notNull(),
  orgSlug: text("org_slug").notNull(),
  network: text("network").notNull(),
  createdAtMs: count("created_at_ms").notNull(),
  deleted: boolean("deleted").notNull(),
});

/** Which app answers for a hostname. An app that was made anew has another id, and none of them. */
export const hostnames = pgTable("hostnames", {
  hostname: text("hostname").primaryKey(),
  appName: text("app_name").notNull(),
  appId: text("app_id").notNull(),
  claimedAtMs: count("claimed_at_ms").notNull(),
});

/** Which host owns a machine; `host_id` is null where none took it. */
export const placements = pgTable("placements", {
  machineId: text("machine_id").primaryKey(),
  appName: text("app_name").notNull(),
  epoch: integer("epoch").notNull(),
  region: text("region"),
  hostId: text("host_id"),
  refusedAs: text("refused_as"),
});

/** Hosts as CONTROL registered them. */
export const registrations = pgTable("registrations", {
  hostId: text("host_id").primaryKey(),
  region: text("region").notNull(),
  log: text("log").notNull(),
  stream: text("stream").notNull(),
  domain: text("domain").notNull(),
  registeredAtMs: count("registered_at_ms").notNull(),
  formerLogs: json("former_logs").$type<readonly string[]>().notNull(),
});

/** Hosts as each of their logs tells. A log changes only its own rows, so the order in which logs arrive does not matter. */
export const hosts = pgTable("hosts", {
  log: text("log").primaryKey(),
  hostId: text("host_id").notNull(),
  clusterId: text("cluster_id").notNull(),
  region: text("region").notNull(),
  subnet: text("subnet").notNull(),
  agentEpoch: integer("agent_epoch").notNull(),
  bootId: text("boot_id").notNull(),
  cpuMillis: count("cpu_millis").notNull(),
  memoryMib: count("memory_mib").notNull(),
  maxMachines: integer("max_machines").notNull(),
  features: json("features").$type<readonly string[]>().notNull(),
  cordon: json("cordon").$type<{
    readonly owner: string;
    readonly reason: string;
    readonly expiresAtMs: number;
  }>(),
});

/** Logs that another log of their host began with. */
export const successions = pgTable(
  "successions",
  { log: text("log").notNull(), hostId: text("host_id").notNull() },
  (table) => [primaryKey({ columns: [table.log, table.hostId] })],
);

/** Machines as each log tells, those that are gone among them. `body` is the fold's state: what the next event goes on from. */
export const machines = pgTable(
  "machines",
  {
    log: text("log").notNull(),
    id: text("id").notNull(),
    appName: text("app_name").notNull(),
    name: text("name").notNull(),
    region: text("region").notNull(),
    epoch: integer("epoch").notNull(),
    state: text("state").$type<MachineStateName>().notNull(),
    /** In a state that nothing leads out of. */
    ended: boolean("ended").notNull(),
    instanceId: text("instance_id").notNull(),
    metadata: jsonb("metadata").$type<Readonly<Record<string, string>>>().notNull(),
    createdAtMs: count("created_at_ms").notNull(),
    updatedAtMs: count("updated_at_ms").notNull(),
    body: json("body").$type<Machine>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.log, table.id] }),
    index("machines_by_id").on(table.id),
    index("machines_by_app").on(table.appName),
    index("machines_by_update").on(table.updatedAtMs, table.id),
  ],
);

/** Every event of every machine, less the mere steps of operations. */
export const machineEvents = pgTable(
  "machine_events",
  {
    log: text("log").notNull(),
    sequence: count("sequence").notNull(),
    machineId: text("machine_id").notNull(),
    eventId: text("event_id").notNull(),
    type: text("type").notNull(),
    /** Hybrid clock: sorts as text. */
    clock: text("clock").notNull(),
    actor: text("actor").notNull(),
    correlationId: text("correlation_id").notNull(),
    /** The machine's state right after it. */
    state: text("state").$type<MachineStateName>().notNull(),
    instanceId: text("instance_id").notNull(),
    origin: text("origin"),
    exit: json("exit").$type<MachineExit>(),
    error: json("error").$type<StepError>(),
  },
  (table) => [
    primaryKey({ columns: [table.log, table.sequence] }),
    index("machine_events_by_machine").on(table.machineId, table.clock),
  ],
);
