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

/** A list, and why it came from memory, if it did. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly staleBecause?: string;
}

/**
 * What the API lists: from the read model once that includes all that the fold in memory does, so that nobody sees less
 * than before; else from that fold, which says so (F43). Commands, tokens, waits and single machines never ask here.
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
      (db) => listMachines(db, filter),
      (view) => machinesInMemory(view, filter),
    );
  }

  apps(orgSlug?: string): Promise<Listed<StoredApp>> {
    return this.#list(
      (db) => listApps(db, orgSlug),
      (view) => appsInMemory(view, orgSlug),
    );
  }

  /** The latest first. */
  events(filter: EventFilter): Promise<Listed<HistoryEntry>> {
    return this.#list(
      (db) => listEvents(db, filter),
      (view) => eventsInMemory(view, filter),
    );
  }

  async #list<T>(
    fromRows: (db: Database) => Promise<T[]>,
    fromMemory: (view: FleetView) => T[],
  ): Promise<Listed<T>> {
    const read = await this.#readModel.read(this.#projection.position(), fromRows);
    if (read.kind === "rows") return { items: read.rows };
    return { items: fromMemory(this.#projection.state), staleBecause: read.why };
  }
}
