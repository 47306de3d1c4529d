import type { VolumeStore } from "#runtime";
import { isGone, type Snapshot, type Volume } from "#volumes";
import type { Decisions } from "../decisions.ts";

const LIST_TIMEOUT_MS = 20_000;
/** How many are named in an alarm. */
const NAMED = 20;

/**
 * Compares what the store of volumes holds with the log, after a start. Nothing is made or removed because of it: what the
 * log does not know may be somebody's data, and what is missing may come back with its disk (F21, F27).
 */
export class VolumeInventory {
  readonly #decisions: Decisions;
  readonly #store: VolumeStore;

  constructor(decisions: Decisions, store: VolumeStore) {
    this.#decisions = decisions;
    this.#store = store;
  }

  /** A store that does not answer is watched by others (F26). */
  async run(): Promise<void> {
    const held = await this.#store.list(AbortSignal.timeout(LIST_TIMEOUT_MS)).catch(() => undefined);
    if (held === undefined) return;
    const { volumes, snapshots } = this.#decisions.host;
    const known = new Map<string, Volume | Snapshot>([...volumes, ...snapshots]);
    const there = new Set([...held.volumeIds, ...held.snapshotIds]);
    const strange = [...there].filter((id) => known.get(id) === undefined || isGone(known.get(id)!));
    const missing = [...known.values()].filter((one) => isMade(one) && !there.has(one.id));
    await this.#alarm("unknown_volumes", "not known to the log and left alone", strange);
    await this.#alarm(
      "volumes_missing",
      "known to the log and not in the store",
      missing.map(({ id }) => id),
    );
  }

  async #alarm(alarm: string, what: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const message = `${ids.length} volumes or snapshots are ${what}: ${ids.slice(0, NAMED).join(", ")}`;
    await this.#decisions.own({ type: "RaiseAlarm", alarm, message });
  }
}

function isMade({ state }: Volume | Snapshot): boolean {
  return state === "created" || state === "extending";
}
