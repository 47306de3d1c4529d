import type { MachineExit } from "#contracts";
import type { Clock } from "#kernel";
import { startOfContainer } from "../names.ts";
import type { OneAtATime } from "../one-at-a-time.ts";
import type { Bundle } from "./bundle.ts";
import type { Cgroups } from "./cgroups.ts";
import { EXIT_CODE_UNKNOWN, type ExitListener } from "./container-runtime.ts";
import type { ContainerTraces } from "./container-traces.ts";
import { type Exits, exitFrom } from "./exits.ts";
import { watchMonitor } from "./monitor.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import { lives } from "./processes.ts";

const ORPHAN_POLL_MS = 500;

/** What the watch looks at. */
export interface WatchedGround {
  readonly traces: ContainerTraces;
  readonly exits: Exits;
  readonly runtime: OciRuntime;
  readonly cgroups: Cgroups;
  readonly clock: Clock;
  /** Those in which containers are launched and removed. */
  readonly turns: OneAtATime;
}

/** Knows how processes ended, and tells of it as soon as it happens. */
export class ExitWatch {
  readonly #ground: WatchedGround;
  readonly #listeners = new Set<ExitListener>();
  readonly #told = new Set<string>();
  /** What ends the watch of each monitor. */
  readonly #monitors = new Map<string, () => void>();

  constructor(ground: WatchedGround) {
    this.#ground = ground;
  }

  /** Watches from now on, also over containers that an earlier agent launched. */
  async open(): Promise<void> {
    this.#ground.exits.watch((containerId) => this.#look(containerId));
    for (const containerId of await this.#ground.traces.list()) this.watch(containerId);
  }

  close(): void {
    this.#ground.exits.close();
    for (const stop of this.#monitors.values()) stop();
    this.#listeners.clear();
  }

  /** See `ContainerRuntime.exitOf`. */
  async exitOf(containerId: string): Promise<MachineExit | undefined> {
    const bundle = this.#ground.traces.bundleOf(containerId);
    if ((await bundle.started()) === undefined) return undefined;
    return (await this.#recorded(bundle)) ?? (await this.#lost(bundle));
  }

  add(listener: ExitListener): () => void {
    this.#listeners.add(listener);
    void this.#ground.traces.list().then((containerIds) => {
      for (const containerId of containerIds) this.#look(containerId, listener);
    });
    return () => this.#listeners.delete(listener);
  }

  /** Learns of the monitor's death, should it die without writing how the process ended. */
  watch(containerId: string): void {
    this.#monitors.get(containerId)?.();
    const { path } = this.#ground.traces.bundleOf(containerId);
    this.#monitors.set(
      containerId,
      watchMonitor(path, () => void this.#onMonitorDeath(containerId)),
    );
  }

  forget(containerId: string): void {
    this.#monitors.get(containerId)?.();
    this.#monitors.delete(containerId);
    this.#told.delete(containerId);
  }

  /** Resolves with the exit, or with undefined after `timeoutMs`. Rejects with the signal's reason when it fires. */
  async next(containerId: string, timeoutMs: number, signal: AbortSignal): Promise<MachineExit | undefined> {
    const stop = new AbortController();
    const told = new Promise<MachineExit>((resolve) => {
      const listener: ExitListener = (machineId, startId, exit) => {
        if (`${machineId}.${startId}` === containerId) resolve(exit);
      };
      this.#listeners.add(listener);
      stop.signal.addEventListener("abort", () => this.#listeners.delete(listener));
    });
    try {
      const already = await this.exitOf(containerId);
      const inTime = this.#ground.clock.sleep(timeoutMs, AbortSignal.any([signal, stop.signal]));
      inTime.catch(() => {}); // nobody waits for it any more
      return already ?? (await Promise.race([told, inTime.then(() => undefined)]));
    } finally {
      stop.abort();
    }
  }

  async #recorded(bundle: Bundle): Promise<MachineExit | undefined> {
    const record = await this.#ground.exits.read(bundle.containerId);
    if (record === undefined) return undefined;
    return exitFrom(record, await this.#seenOf(bundle));
  }

  /** The exit of a process that ended together with its monitor: that it ended is all that can be known. */
  async #lost(bundle: Bundle): Promise<MachineExit | undefined> {
    const first = await this.#ground.runtime.processOf(bundle.containerId);
    if (first !== undefined && lives(first)) return undefined;
    if ((await bundle.monitor()) !== undefined) return undefined;
    return this.#ground.turns.take(bundle.containerId, async () => {
      if ((await bundle.started()) === undefined) return undefined; // it was removed while we looked
      // The monitor may have written its last just before we looked for it.
      const late = await this.#recorded(bundle);
      if (late !== undefined) return late;
      const exitedAtMs = await bundle.noteLost(this.#ground.clock.nowMs());
      return exitFrom({ status: EXIT_CODE_UNKNOWN, exitedAtMs }, await this.#seenOf(bundle));
    });
  }

  async #seenOf(bundle: Bundle): Promise<{ oomKilled: boolean; stopRequested: boolean }> {
    const group = this.#ground.traces.cgroupOf(bundle.containerId);
    return {
      oomKilled: (await bundle.ranOutOfMemory()) || this.#ground.cgroups.ranOutOfMemory(group),
      stopRequested: await bundle.isStopRequested(),
    };
  }

  async #onMonitorDeath(containerId: string): Promise<void> {
    const exit = await this.exitOf(containerId).catch(() => undefined);
    if (exit !== undefined) return this.#tell(containerId, exit);
    const first = await this.#ground.runtime.processOf(containerId);
    if (first === undefined || !lives(first) || !this.#monitors.has(containerId)) return;
    // Nothing tells of the end of a process that is not our child and whose monitor was killed: the one thing we poll.
    const timer = setTimeout(() => void this.#onMonitorDeath(containerId), ORPHAN_POLL_MS).unref();
    this.#monitors.set(containerId, () => clearTimeout(timer));
  }

  #look(containerId: string, only?: ExitListener): void {
    this.exitOf(containerId).then(
      (exit) => {
        if (exit !== undefined) this.#tell(containerId, exit, only);
      },
      () => {}, // it is being removed
    );
  }

  #tell(containerId: string, exit: MachineExit, only?: ExitListener): void {
    if (only === undefined && this.#told.has(containerId)) return;
    if (only === undefined) this.#told.add(containerId);
    const { machineId, startId } = startOfContainer(containerId)!;
    for (const listener of only === undefined ? [...this.#listeners] : [only])
      listener(machineId, startId, exit);
  }
}
