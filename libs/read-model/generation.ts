import { migrate } from "drizzle-orm/postgres-js/migrator";
import type { RecordedEvent } from "#contracts";
import type { QuarantinedEvent, SavedProjection } from "#event-log";
import type { Clock } from "#kernel";
import { foldEvents, setAside } from "./fold-events.ts";
import type { Database, OpenGeneration, Transaction } from "./generations.ts";
import { loadPart, savePart } from "./part.ts";
import { quarantinedRow } from "./rows.ts";
import { generation, machineEvents, positions, quarantined } from "./schema.ts";
import { currentShape, MIGRATIONS } from "./shape.ts";
import { DamagedError, DivergedError, isInTheData, lineOf } from "./trouble.ts";
import { upsert } from "./upsert.ts";

/** What came since the last write, and how far the logs are folded with it. */
export interface Batch {
  /** In the order of each log. */
  readonly events: readonly RecordedEvent[];
  readonly quarantined: readonly QuarantinedEvent[];
  readonly reached: SavedProjection;
}

/** What a generation says of itself. */
export type GenerationRecord = typeof generation.$inferSelect;
type PositionRow = typeof positions.$inferSelect;

/** One generation of the read model: rows that follow from the logs, and how far they do. */
export class Generation {
  readonly number: number;
  readonly #open: OpenGeneration;
  readonly #clock: Clock;
  /** As they were written last. */
  readonly #positions = new Map<string, PositionRow>();
  #record: GenerationRecord;

  /** Makes the tables of a new one. */
  static async create(open: OpenGeneration, clock: Clock): Promise<Generation> {
    const migrations = {
      migrationsFolder: MIGRATIONS,
      migrationsSchema: open.schema,
      migrationsTable: "migrations",
    };
    await migrate(open.db, migrations);
    const fresh = { id: 1, shape: currentShape(), revision: 0, createdAtMs: clock.nowMs() };
    const [record] = await open.db
      .insert(generation)
      .values({ ...fresh, events: 0, quarantined: 0 })
      .returning();
    return new Generation(open, clock, record!);
  }

  /** Takes up one that is there; `record` says whether this version may use it. Throws `DamagedError`. */
  static async resume(open: OpenGeneration, clock: Clock): Promise<Generation> {
    const [record] = await open.db.select().from(generation);
    if (record === undefined) throw new DamagedError("the read model does not say what it is");
    return new Generation(open, clock, record);
  }

  private constructor(open: OpenGeneration, clock: Clock, record: GenerationRecord) {
    this.number = open.number;
    this.#open = open;
    this.#clock = clock;
    this.#record = record;
  }

  get db(): Database {
    return this.#open.db;
  }

  get record(): GenerationRecord {
    return this.#record;
  }

  close(): Promise<void> {
    return this.#open.close();
  }

  /** Where its rows stand: what a projection goes on from. Undefined before the first write. */
  async reached(): Promise<SavedProjection | undefined> {
    const { cursors } = this.#record;
    if (cursors === null) return undefined;
    const rows = await this.db.select().from(positions);
    const logs = rows.map(({ log, hostId, applied, known, succeeded }) => {
      return { log, ...(hostId === null ? {} : { hostId }), applied, known, succeeded };
    });
    return {
      format: 1,
      savedAtMs: this.#clock.nowMs(),
      cursors,
      fleetSequences: rows.map(({ log, fleetSequence }) => [log, fleetSequence] as const),
      fold: { logs, quarantined: [], quarantineCount: 0, state: null },
    };
  }

  /**
   * Takes a batch: all of it, with its position, or nothing. What cannot be folded or stored is set aside (I10), and
   * returned. Throws `DivergedError` when the rows are not those that this object knows, and what
   * the database throws.
   */
  async write(batch: Batch): Promise<readonly QuarantinedEvent[]> {
    const moved = this.#movedOf(batch.reached);
    const { revised, bad } = await this.db.transaction(async (tx) => {
      await this.#claim(tx);
      await upsert(tx, positions, moved);
      const stored = [...batch.quarantined, ...(await storeAll(tx, batch.events))];
      await upsert(tx, quarantined, stored.map(quarantinedRow));
      return { revised: await this.#revise(tx, batch, stored.length), bad: stored };
    });
    this.#record = { ...this.#record, ...revised };
    for (const position of moved) this.#positions.set(position.log, position);
    return bad;
  }

  /** From now on it may be read. */
  async complete(): Promise<void> {
    const completed = { completedAtMs: this.#clock.nowMs(), completedEvents: this.#record.events };
    await this.db.update(generation).set(completed);
    this.#record = { ...this.#record, ...completed };
  }

  /** Locks the generation for this transaction, as it is known here. */
  async #claim(tx: Transaction): Promise<void> {
    const [record] = await tx.select().from(generation).for("update");
    if (record === undefined) throw new DamagedError("the read model does not say what it is any more");
    if (record.revision !== this.#record.revision) {
      throw new DivergedError("another process writes to the read model, too");
    }
  }

  async #revise(
    tx: Transaction,
    { events, reached }: Batch,
    bad: number,
  ): Promise<Partial<GenerationRecord>> {
    const before = this.#record;
    const revised = {
      revision: before.revision + 1,
      events: before.events + events.length,
      quarantined: before.quarantined + bad,
      cursors: reached.cursors,
    };
    await tx.update(generation).set(revised);
    return revised;
  }

  /** The positions that are not as they were written last: there are as many as hosts ever had logs. */
  #movedOf({ fold, fleetSequences }: SavedProjection): PositionRow[] {
    const sequences = new Map(fleetSequences);
    return fold.logs.flatMap(({ log, hostId = null, ...progress }) => {
      const position = { log, hostId, ...progress, fleetSequence: sequences.get(log) ?? 0 };
      const before = this.#positions.get(log);
      return before !== undefined && isSame(before, position) ? [] : [position];
    });
  }
}

function isSame(a: PositionRow, b: PositionRow): boolean {
  return (
    a.applied === b.applied &&
    a.known === b.known &&
    a.succeeded === b.succeeded &&
    a.fleetSequence === b.fleetSequence
  );
}

async function storeAll(tx: Transaction, events: readonly RecordedEvent[]): Promise<QuarantinedEvent[]> {
  try {
    return await tx.transaction((savepoint) => store(savepoint, events));
  } catch (error) {
    if (!isInTheData(error)) throw error;
  }
  // One of them is more than the database takes: find it, and keep the others.
  const bad: QuarantinedEvent[] = [];
  for (const event of events) {
    try {
      bad.push(...(await tx.transaction((savepoint) => store(savepoint, [event]))));
    } catch (error) {
      if (!isInTheData(error)) throw error;
      bad.push(setAside(event, "store_failed", lineOf(error)));
    }
  }
  return bad;
}

async function store(tx: Transaction, events: readonly RecordedEvent[]): Promise<QuarantinedEvent[]> {
  const part = await loadPart(tx, events);
  const { history, quarantined: bad } = foldEvents(part, events);
  await savePart(tx, part, events);
  await upsert(tx, machineEvents, history);
  return [...bad];
}
