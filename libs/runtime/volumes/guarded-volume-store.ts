import { type Clock, RetryAfterError, TerminalError } from "#kernel";
import { type StoredVolumes, VolumeStore, type VolumeUsage } from "./volume-store.ts";

/** Why a host's storage is not to be relied on. */
export interface StorageSuspicion {
  /** When it began, epoch milliseconds. */
  readonly sinceMs: number;
  /** What happened then, in one line. */
  readonly detail: string;
}

/** Hears of each change: a suspicion, or undefined when it is over. */
export type SuspicionListener = (suspicion: StorageSuspicion | undefined) => void;

export interface GuardedVolumeStoreSettings {
  readonly store: VolumeStore;
  readonly clock: Clock;
  /** What it begins with; its conformance check unless told. */
  readonly begin?: (inTime: AbortSignal) => Promise<void>;
  /** How long a call may take; 20 s unless told. */
  readonly timeoutMs?: number;
  /** How long a call may take that copies, in a store without instant snapshots; 10 min unless told. */
  readonly copyTimeoutMs?: number;
}

const TIMEOUT_MS = 20_000;
const COPY_TIMEOUT_MS = 600_000;
const CHECK_TIMEOUT_MS = 60_000;
/** Between checks of a suspect store: doubled each time, up to the longest. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Any store, with the promise that each call ends (F26). One that does not end in time, or fails as nothing explains,
 * makes the store suspect: its calls are put off, and its host must promise none of it, until it passes its conformance
 * check, which is tried again and again. Machines that run go on: nothing of theirs comes by here.
 */
export class GuardedVolumeStore extends VolumeStore {
  override readonly kind: VolumeStore["kind"];
  override readonly abilities: VolumeStore["abilities"];
  readonly #store: VolumeStore;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #copyTimeoutMs: number;
  readonly #listeners = new Set<SuspicionListener>();
  readonly #closed = new AbortController();
  #suspicion: StorageSuspicion | undefined;

  private constructor(settings: GuardedVolumeStoreSettings) {
    super();
    const { store, timeoutMs = TIMEOUT_MS, copyTimeoutMs = COPY_TIMEOUT_MS } = settings;
    this.#store = store;
    this.#clock = settings.clock;
    this.#timeoutMs = timeoutMs;
    this.#copyTimeoutMs = store.abilities.instantSnapshots ? timeoutMs : copyTimeoutMs;
    this.kind = store.kind;
    this.abilities = store.abilities;
  }

  /** Guards a store; comes up in time, whether that does or not. */
  static async open(settings: GuardedVolumeStoreSettings): Promise<GuardedVolumeStore> {
    const { store, begin = (inTime) => store.check(inTime) } = settings;
    const guard = new GuardedVolumeStore(settings);
    const failure = await guard.#failureOf(guard.#timeoutMs, begin);
    if (failure !== undefined) guard.#suspect(`start: ${failure}`);
    return guard;
  }

  /** Ends its checks. The volumes stay as they are. */
  close(): void {
    this.#closed.abort(new Error("the volume store is closed"));
  }

  /** Why the store is suspect; undefined while it is not. */
  get suspicion(): StorageSuspicion | undefined {
    return this.#suspicion;
  }

  /** Tells of every change from now on. Returns what ends it. */
  onSuspicion(listener: SuspicionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  override create(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#call("create", signal, (inTime) => this.#store.create(volumeId, sizeBytes, inTime));
  }

  override extend(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#call("extend", signal, (inTime) => this.#store.extend(volumeId, sizeBytes, inTime));
  }

  override remove(volumeId: string, signal: AbortSignal): Promise<void> {
    return this.#copy("remove", signal, (inTime) => this.#store.remove(volumeId, inTime));
  }

  override snapshot(volumeId: string, snapshotId: string, signal: AbortSignal): Promise<number> {
    return this.#copy("snapshot", signal, (inTime) => this.#store.snapshot(volumeId, snapshotId, inTime));
  }

  override restore(
    snapshotId: string,
    volumeId: string,
    sizeBytes: number,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#copy("restore", signal, (inTime) =>
      this.#store.restore(snapshotId, volumeId, sizeBytes, inTime),
    );
  }

  override fork(sourceId: string, volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#copy("fork", signal, (inTime) => this.#store.fork(sourceId, volumeId, sizeBytes, inTime));
  }

  override removeSnapshot(snapshotId: string, signal: AbortSignal): Promise<void> {
    return this.#copy("removeSnapshot", signal, (inTime) => this.#store.removeSnapshot(snapshotId, inTime));
  }

  override usage(volumeId: string, signal: AbortSignal): Promise<VolumeUsage> {
    return this.#call("usage", signal, (inTime) => this.#store.usage(volumeId, inTime));
  }

  override list(signal: AbortSignal): Promise<StoredVolumes> {
    return this.#call("list", signal, (inTime) => this.#store.list(inTime));
  }

  override capacityBytes(): number {
    return this.#store.capacityBytes();
  }

  override pathOf(volumeId: string): string {
    return this.#store.pathOf(volumeId);
  }

  override check(signal: AbortSignal): Promise<void> {
    return this.#call("check", signal, (inTime) => this.#store.check(inTime));
  }

  #call<T>(name: string, signal: AbortSignal, work: (inTime: AbortSignal) => Promise<T>): Promise<T> {
    return this.#guarded(name, this.#timeoutMs, signal, work);
  }

  #copy<T>(name: string, signal: AbortSignal, work: (inTime: AbortSignal) => Promise<T>): Promise<T> {
    return this.#guarded(name, this.#copyTimeoutMs, signal, work);
  }

  async #guarded<T>(
    name: string,
    timeoutMs: number,
    signal: AbortSignal,
    work: (inTime: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    if (this.#suspicion !== undefined) throw putOff(this.#suspicion);
    try {
      return await this.#inTime(timeoutMs, signal, work);
    } catch (error) {
      const isExplained = error instanceof TerminalError || error instanceof RetryAfterError;
      if (!isExplained && !signal.aborted) this.#suspect(`${name}: ${lineOf(error)}`);
      throw error;
    }
  }

  /** Ends when the work does, and by its time and signal even when the work does not heed them. */
  async #inTime<T>(
    timeoutMs: number,
    signal: AbortSignal,
    work: (inTime: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const done = new AbortController();
    const late = new AbortController();
    const inTime = AbortSignal.any([signal, late.signal]);
    const timer = this.#clock.sleep(timeoutMs, done.signal).then(
      () => late.abort(new Error(`not done within ${timeoutMs} ms`)),
      () => {},
    );
    const given = Promise.withResolvers<never>();
    inTime.addEventListener("abort", () => given.reject(inTime.reason), { once: true });
    try {
      return await Promise.race([work(inTime), given.promise]);
    } finally {
      done.abort();
      await timer;
    }
  }

  #suspect(detail: string): void {
    if (this.#suspicion !== undefined) return;
    this.#change({ sinceMs: this.#clock.nowMs(), detail });
    this.#recover().catch(() => {}); // only its end by `close` rejects
  }

  async #recover(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      await this.#clock.sleep(pauseMs, this.#closed.signal);
      const failure = await this.#failureOf(CHECK_TIMEOUT_MS, (inTime) => this.#store.check(inTime));
      if (failure === undefined) break;
    }
    this.#change(undefined);
  }

  /** Why the work failed; undefined when it did not. */
  async #failureOf(
    timeoutMs: number,
    work: (inTime: AbortSignal) => Promise<void>,
  ): Promise<string | undefined> {
    try {
      await this.#inTime(timeoutMs, this.#closed.signal, work);
      return undefined;
    } catch (error) {
      return lineOf(error);
    }
  }

  #change(suspicion: StorageSuspicion | undefined): void {
    this.#suspicion = suspicion;
    for (const listener of [...this.#listeners]) listener(suspicion);
  }
}

function putOff({ detail }: StorageSuspicion): RetryAfterError {
  const message = `This host's storage is being checked: ${detail}`;
  return new RetryAfterError("storage_suspect", message, FIRST_PAUSE_MS);
}

function lineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!.slice(0, 300);
}
