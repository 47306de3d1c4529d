import { type Refusal, refusal } from "#kernel";
import type { GuardedVolumeStore, StorageSuspicion } from "#runtime";

const RETRY_AFTER_MS = 5_000;

/** Keeps what is new away from a host whose storage does not answer as it must (F26). What runs, runs on. */
export class StorageWatch {
  readonly #store: Pick<GuardedVolumeStore, "suspicion" | "onSuspicion">;
  readonly #onAlarm: (alarm: string, message: string) => void;

  constructor(
    store: Pick<GuardedVolumeStore, "suspicion" | "onSuspicion">,
    onAlarm: (alarm: string, message: string) => void,
  ) {
    this.#store = store;
    this.#onAlarm = onAlarm;
  }

  /** Says what is so now, and tells of every change until what it returns is called. */
  begin(): () => void {
    const { suspicion } = this.#store;
    if (suspicion !== undefined) this.#tell(suspicion);
    return this.#store.onSuspicion((changed) => this.#tell(changed));
  }

  /** Why this host takes nothing in, if so. */
  refuseIfSuspect(): Refusal | undefined {
    const { suspicion } = this.#store;
    if (suspicion === undefined) return undefined;
    const { detail, sinceMs } = suspicion;
    const message = `this host's storage is being checked and takes nothing new: ${detail}`;
    return refusal("storage_suspect", message, { retryAfterMs: RETRY_AFTER_MS, details: { sinceMs } });
  }

  #tell(suspicion: StorageSuspicion | undefined): void {
    if (suspicion === undefined) this.#onAlarm("storage_passed", "the storage has passed its check again");
    else this.#onAlarm("storage_suspect", suspicion.detail);
  }
}
