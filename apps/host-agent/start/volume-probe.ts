import { type Refusal, refusal } from "#kernel";
import type { VolumeStore } from "#runtime";
import { isGone } from "#volumes";
import type { Decisions } from "../decisions.ts";

const LIST_TIMEOUT_MS = 2_000;
const RETRY_AFTER_MS = 30_000;

/**
 * Looks whether the store has what something new begins with or mounts, before it is promised a place: the log may tell of what
 * was kept in another store, or on a disk that is not there (F27, F29).
 */
export class VolumeProbe {
  readonly #decisions: Pick<Decisions, "host">;
  readonly #store: Pick<VolumeStore, "kind" | "list">;

  constructor(decisions: Pick<Decisions, "host">, store: Pick<VolumeStore, "kind" | "list">) {
    this.#decisions = decisions;
    this.#store = store;
  }

  /** `ids`: of volumes and snapshots. What the log does not know is for the decider to refuse. */
  async refuseIfMissing(ids: readonly string[]): Promise<Refusal | undefined> {
    const { id: hostId, volumes, snapshots } = this.#decisions.host;
    const known = ids.filter((id) => {
      const one = volumes.get(id) ?? snapshots.get(id);
      return one !== undefined && one.state !== "creating" && !isGone(one);
    });
    if (known.length === 0) return undefined;
    // A store that does not answer is watched by others (F26).
    const held = await this.#store.list(AbortSignal.timeout(LIST_TIMEOUT_MS)).catch(() => undefined);
    if (held === undefined) return undefined;
    const missing = known.filter((id) => ![...held.volumeIds, ...held.snapshotIds].includes(id));
    if (missing.length === 0) return undefined;
    const message = `host ${hostId} knows ${missing.join(", ")} and does not hold it: its store (${this.#store.kind}) is another one than it was, bring the old one back`;
    return refusal("storage_suspect", message, {
      retryAfterMs: RETRY_AFTER_MS,
      details: { hostId, missing },
    });
  }
}
