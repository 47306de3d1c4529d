import type { Projection } from "#event-log";
import type { FleetView, HistoryEntry } from "#fleet";
import {
  appsInMemory,
  type Database,
  type EventFilter,
  eventsInMemory,
  listApps,
  listEvents,
  listMachines,
  type MachineFilter,
  machinesInMemory,
  type ReadModel,
  type StoredApp,
  type StoredMachine,
} from "#read-model";

/** A list, and why it came from memory, if it did. `isStale`: the database ought to have told, and is down (F43). */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly fromMemory?: { readonly why: string; readonly isStale: boolean };
}

/** How long a history waits for rows that include what its reader has seen: memory knows the last events only. */
const HISTORY_REACH_MS = 1_000;

/**
 * What the API lists: from the read model as long as that includes all that the fold in memory does, so that nobody sees
 * less than before; else from that fold, at once. Commands, tokens, waits and single machines never ask here.
 */
export class FleetLists {
  readonly #projection: Projection<FleetView>;
  readonly #readModel: ReadModel;

  constructor(projection: Projection<FleetView>, readModel: ReadModel) {
    this.#projection = projection;
    this.#readModel = readModel;
  }

  machines(filter: MachineFilter): Promise<Listed<StoredMachine>> {
    return this.#list(
      0,
      (db) => listMachines(db, filter),
      (view) => machinesInMemory(view, filter),
    );
  }

  apps(orgSlug?: string): Promise<Listed<StoredApp>> {
    return this.#list(
      0,
      (db) => listApps(db, orgSlug),
      (view) => appsInMemory(view, orgSlug),
    );
  }

  /** The latest first. */
  events(filter: EventFilter): Promise<Listed<HistoryEntry>> {
    return this.#list(
      HISTORY_REACH_MS,
      (db) => listEvents(db, filter),
      (view) => eventsInMemory(view, filter),
    );
  }

  async #list<T>(
    reachMs: number,
    fromRows: (db: Database) => Promise<T[]>,
    fromMemory: (view: FleetView) => T[],
  ): Promise<Listed<T>> {
    const read = await this.#readModel.read(this.#projection.position(), reachMs, fromRows);
    if (read.kind === "rows") return { items: read.rows };
    const { why, isDown: isStale } = read;
    return { items: fromMemory(this.#projection.state), fromMemory: { why, isStale } };
  }
}
