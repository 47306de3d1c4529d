import { bigint, boolean, integer, jsonb, type PgTable, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/*
 * The tables of `replay sql`: what happened, and how everything stood at one moment. They live in memory for one command,
 * so that they may change as they like. `facts` holds what the debugger calls an entity's facts, by path: the same words as
 * in `diff` and `blame`.
 */

const time = (name: string) => timestamp(name, { withTimezone: true, mode: "string" });
/** Sequences and sizes stay below 2^53. */
const count = (name: string) => bigint(name, { mode: "number" });

const events = pgTable("events", {
  id: text("id").notNull(),
  log: text("log").notNull(),
  sequence: count("sequence").notNull(),
  at: time("at").notNull(),
  clock: text("clock").notNull(),
  type: text("type").notNull(),
  host: text("host"),
  machine: text("machine"),
  volume: text("volume"),
  app: text("app"),
  actor: text("actor").notNull(),
  correlation: text("correlation").notNull(),
  causation: text("causation").notNull(),
  command: text("command"),
  data: jsonb("data").notNull(),
  decision: jsonb("decision"),
});

const machines = pgTable("machines", {
  id: text("id").notNull(),
  app: text("app").notNull(),
  name: text("name"),
  host: text("host"),
  region: text("region"),
  epoch: integer("epoch").notNull(),
  state: text("state").notNull(),
  instance: text("instance"),
  image: text("image"),
  imageDigest: text("image_digest"),
  cpuMillis: count("cpu_millis"),
  memoryMib: count("memory_mib"),
  holdsResources: boolean("holds_resources"),
  ipv4: text("ipv4"),
  privateIp: text("private_ip"),
  start: text("start"),
  startedAt: time("started_at"),
  createdAt: time("created_at"),
  updatedAt: time("updated_at"),
  queued: text("queued"),
  restarts: integer("restarts"),
  exit: jsonb("exit"),
  error: jsonb("error"),
  config: jsonb("config"),
  facts: jsonb("facts").notNull(),
});

const hosts = pgTable("hosts", {
  id: text("id").notNull(),
  region: text("region").notNull(),
  log: text("log").notNull(),
  agentEpoch: integer("agent_epoch").notNull(),
  boot: text("boot").notNull(),
  cpuMillis: count("cpu_millis").notNull(),
  memoryMib: count("memory_mib").notNull(),
  volumeMib: count("volume_mib"),
  promisedCpuMillis: count("promised_cpu_millis").notNull(),
  promisedMemoryMib: count("promised_memory_mib").notNull(),
  promisedVolumeMib: count("promised_volume_mib"),
  maxMachines: integer("max_machines").notNull(),
  machines: integer("machines").notNull(),
  reservations: integer("reservations").notNull(),
  cordonedBy: text("cordoned_by"),
  facts: jsonb("facts").notNull(),
});

const volumes = pgTable("volumes", {
  id: text("id").notNull(),
  app: text("app").notNull(),
  name: text("name"),
  host: text("host"),
  region: text("region"),
  epoch: integer("epoch").notNull(),
  state: text("state").notNull(),
  sizeGb: integer("size_gb"),
  attachedMachine: text("attached_machine"),
  sourceSnapshot: text("source_snapshot"),
  createdAt: time("created_at"),
  updatedAt: time("updated_at"),
  error: jsonb("error"),
  facts: jsonb("facts").notNull(),
});

const snapshots = pgTable("snapshots", {
  id: text("id").notNull(),
  volume: text("volume").notNull(),
  app: text("app").notNull(),
  host: text("host").notNull(),
  state: text("state").notNull(),
  origin: text("origin").notNull(),
  sizeBytes: count("size_bytes"),
  retentionDays: integer("retention_days").notNull(),
  createdAt: time("created_at").notNull(),
  error: jsonb("error"),
  facts: jsonb("facts").notNull(),
});

const apps = pgTable("apps", {
  name: text("name").notNull(),
  id: text("id").notNull(),
  org: text("org").notNull(),
  network: text("network").notNull(),
  deleted: boolean("deleted").notNull(),
  createdAt: time("created_at").notNull(),
  facts: jsonb("facts").notNull(),
});

const reservations = pgTable("reservations", {
  id: text("id").notNull(),
  host: text("host").notNull(),
  machine: text("machine"),
  volume: text("volume"),
  app: text("app"),
  epoch: integer("epoch").notNull(),
  cpuMillis: count("cpu_millis").notNull(),
  memoryMib: count("memory_mib").notNull(),
  volumeMib: count("volume_mib"),
  ttlMs: count("ttl_ms").notNull(),
});

/** Operations in progress. `of` says of what, as in "machine/148e…". */
const operations = pgTable("operations", {
  id: text("id").notNull(),
  kind: text("kind").notNull(),
  of: text("of").notNull(),
  host: text("host").notNull(),
  step: text("step"),
  stepsDone: integer("steps_done").notNull(),
  steps: integer("steps").notNull(),
  attempt: integer("attempt").notNull(),
  startedAt: time("started_at").notNull(),
  waitsSince: time("waits_since").notNull(),
  error: jsonb("error"),
  correlation: text("correlation"),
  run: jsonb("run").notNull(),
});

/** What routers route by. */
const routes = pgTable("routes", {
  machine: text("machine").notNull(),
  app: text("app").notNull(),
  host: text("host").notNull(),
  region: text("region").notNull(),
  state: text("state").notNull(),
  ipv4: text("ipv4").notNull(),
  epoch: integer("epoch").notNull(),
  start: text("start"),
  services: jsonb("services").notNull(),
});

/** What CONTROL says of who owns a machine or a volume; `host` is null where nobody took it. */
const placements = pgTable("placements", {
  id: text("id").notNull(),
  kind: text("kind").notNull(),
  app: text("app").notNull(),
  epoch: integer("epoch").notNull(),
  host: text("host"),
  region: text("region"),
  refusedAs: text("refused_as"),
});

/** All tables, by name. */
export const INVESTIGATION_TABLES = {
  events,
  machines,
  hosts,
  volumes,
  snapshots,
  apps,
  reservations,
  operations,
  routes,
  placements,
} as const satisfies Record<string, PgTable>;

export type InvestigationTable = keyof typeof INVESTIGATION_TABLES;

/** A row as it goes in. */
export type RowOf<T extends InvestigationTable> = (typeof INVESTIGATION_TABLES)[T]["$inferInsert"];
