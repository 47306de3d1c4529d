import type { HistoryEntry } from "./machine-history.ts";
import { HISTORY_LENGTH } from "./machine-history.ts";

/** The latest events of each machine of one log, oldest first. */
export class Histories {
  readonly #entries: Map<string, HistoryEntry[]>;

  /** Keeps the lists that it is given, and adds to them. */
  constructor(entries: Iterable<readonly [string, HistoryEntry[]]> = []) {
    this.#entries = new Map(entries);
  }

  /** Machines that have entries. */
  get size(): number {
    return this.#entries.size;
  }

  append(machineId: string, entry: HistoryEntry): void {
    const history = this.#entries.get(machineId);
    if (history === undefined) this.#entries.set(machineId, [entry]);
    else if (history.push(entry) > HISTORY_LENGTH) history.shift();
  }

  of(machineId: string): readonly HistoryEntry[] {
    return this.#entries.get(machineId) ?? [];
  }

  drop(machineId: string): void {
    this.#entries.delete(machineId);
  }

  /** In no order. */
  all(): Iterable<readonly [string, readonly HistoryEntry[]]> {
    return this.#entries;
  }
}
