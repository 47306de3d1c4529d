import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asc, getTableColumns } from "drizzle-orm";
import { getTableConfig, type PgTable } from "drizzle-orm/pg-core";
import type { RecordedEvent } from "#contracts";
import { LogFold, type QuarantinedEvent, type SavedProjection } from "#event-log";
import { canonicalHash, SystemClock } from "#kernel";
import { NO_STATE } from "./follower.ts";
import { Generation } from "./generation.ts";
import type { Database, Generations } from "./generations.ts";
import { PgliteGenerations } from "./pglite-generations.ts";
import {
  apps,
  hostnames,
  hosts,
  machineEvents,
  machines,
  placements,
  quarantined,
  registrations,
  successions,
} from "./schema.ts";

const clock = new SystemClock();
/** All that follows from the events alone. */
const TABLES = {
  apps,
  hostnames,
  hosts,
  machineEvents,
  machines,
  placements,
  quarantined,
  registrations,
  successions,
};

/** Everything that a generation holds, as one hash: the same events give the same. */
export async function rowHash(db: Database): Promise<string> {
  return canonicalHash(await allRows(db));
}

export async function allRows(db: Database): Promise<Record<string, unknown[]>> {
  const rows: Record<string, unknown[]> = {};
  for (const [name, table] of Object.entries(TABLES)) rows[name] = await rowsOf(db, table);
  return rows;
}

function rowsOf(db: Database, table: PgTable): Promise<unknown[]> {
  const { columns, primaryKeys } = getTableConfig(table);
  const key = primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary);
  return db
    .select(getTableColumns(table))
    .from(table)
    .orderBy(...key.map((column) => asc(column)));
}

/** A folder for PGlite's generations. */
export async function scratchFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "drover-read-model-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function withPglite(act: (generations: Generations) => Promise<void>): Promise<void> {
  const folder = await scratchFolder();
  const generations = new PgliteGenerations(folder.path);
  try {
    await act(generations);
  } finally {
    await generations.close();
    await folder.remove();
  }
}

/** Writes events into one generation as a follower does, batch by batch, and begins again from what is stored. */
export class Writer {
  readonly generations: Generations;
  readonly number: number;
  generation!: Generation;
  #fold!: LogFold<null>;
  #events: RecordedEvent[] = [];
  #quarantined: QuarantinedEvent[] = [];

  static async create(generations: Generations): Promise<Writer> {
    const [newest = 0] = await generations.list();
    await generations.make(newest + 1);
    const writer = new Writer(generations, newest + 1);
    writer.generation = await Generation.create(await generations.open(newest + 1), clock);
    writer.#fold = writer.#newFold();
    return writer;
  }

  private constructor(generations: Generations, number: number) {
    this.generations = generations;
    this.number = number;
  }

  get db(): Database {
    return this.generation.db;
  }

  /** Hands in an event: one that is included already, or is not next in its log, changes nothing. */
  offer(event: RecordedEvent): void {
    const hostId = event.subject.startsWith("evt.host.") ? event.subject.split(".")[2] : undefined;
    this.#fold.offer(event.log, hostId, event.sequence, { kind: "event", event });
  }

  /** Something at that place that nobody can read. */
  offerBad(event: RecordedEvent): void {
    const { log, sequence, subject } = event;
    this.#fold.offer(log, "host-1", sequence, { kind: "bad", reason: "invalid", detail: "bad", subject });
  }

  async flush(): Promise<readonly QuarantinedEvent[]> {
    const batch = { events: this.#events, quarantined: this.#quarantined, reached: this.#reached() };
    this.#events = [];
    this.#quarantined = [];
    return this.generation.write(batch);
  }

  /** Ends in the middle of a write, and begins again from what is stored. */
  async crash(): Promise<void> {
    const writing = this.flush().catch(() => undefined);
    await this.generation.close();
    await writing;
    await this.resume();
  }

  async resume(): Promise<void> {
    await this.generation.close();
    this.generation = await Generation.resume(await this.generations.open(this.number), clock);
    this.#events = [];
    this.#quarantined = [];
    this.#fold = this.#newFold(await this.generation.reached());
  }

  async remove(): Promise<void> {
    await this.generation.close();
    await this.generations.remove(this.number);
  }

  #newFold(saved?: SavedProjection): LogFold<null> {
    const listener = {
      applied: (event: RecordedEvent) => void this.#events.push(event),
      quarantined: (event: QuarantinedEvent) => void this.#quarantined.push(event),
    };
    return new LogFold(NO_STATE, clock, listener, saved?.fold);
  }

  #reached(): SavedProjection {
    const cursor = { sequence: 1, eventId: "e" };
    const cursors = { control: cursor, fleet: cursor, controlLog: "control" };
    return { format: 1, savedAtMs: 1, cursors, fleetSequences: [], fold: this.#fold.toJson() };
  }
}
