import type { Checkpoint, Checkpoints } from "./checkpoints.ts";

/** A state to be kept, and when it may be: once all that it includes is acknowledged. */
export interface Snapshot {
  readonly checkpoint: Checkpoint;
  readonly acked: Promise<unknown>;
}

/** Writes a checkpoint every so many events, one at a time, while appends go on. */
export class CheckpointWriter {
  readonly #checkpoints: Checkpoints;
  readonly #every: number;
  readonly #snapshot: () => Snapshot | undefined;
  readonly #onFailed: (error: unknown) => void;
  #saving: Promise<void> | undefined;
  #unsaved = 0;

  /** `snapshot` gives nothing while there is no state worth keeping. */
  constructor(
    checkpoints: Checkpoints,
    every: number,
    snapshot: () => Snapshot | undefined,
    onFailed: (error: unknown) => void,
  ) {
    this.#checkpoints = checkpoints;
    this.#every = every;
    this.#snapshot = snapshot;
    this.#onFailed = onFailed;
  }

  /** One more event is acknowledged. */
  count(): void {
    this.#unsaved += 1;
    if (this.#unsaved >= this.#every && this.#saving === undefined) this.save().catch(this.#onFailed);
  }

  /** Writes a checkpoint that includes everything decided until now. */
  save(): Promise<void> {
    const before = this.#saving ?? Promise.resolve();
    const saving = before.catch(() => undefined).then(() => this.#save());
    this.#saving = saving;
    const done = () => {
      if (this.#saving === saving) this.#saving = undefined;
    };
    saving.then(done, done);
    return saving;
  }

  async #save(): Promise<void> {
    this.#unsaved = 0;
    const snapshot = this.#snapshot();
    if (snapshot === undefined) return;
    await snapshot.acked;
    await this.#checkpoints.save(snapshot.checkpoint);
  }
}
