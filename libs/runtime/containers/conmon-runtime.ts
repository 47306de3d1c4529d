import { mkdir, readFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import type { MachineExit } from "#contracts";
import { type Clock, RetryAfterError, TerminalError } from "#kernel";
import { type FaultPoint, noFault } from "../fault-point.ts";
import { containerIdOf, type HostNames, startOfContainer } from "../names.ts";
import { allSettled, OneAtATime } from "../one-at-a-time.ts";
import { Cgroups } from "./cgroups.ts";
import { chooseRuntime } from "./choose-runtime.ts";
import {
  ContainerRuntime,
  EXIT_CODE_UNKNOWN,
  type ExitListener,
  type Launched,
  type LaunchSpec,
  type RuntimeContainer,
} from "./container-runtime.ts";
import { ContainerTraces } from "./container-traces.ts";
import type { ExecProcess, ExecSpec } from "./exec-process.ts";
import { Executor } from "./executor.ts";
import { ExitWatch } from "./exit-watch.ts";
import { Exits, exitFrom } from "./exits.ts";
import { Launcher } from "./launcher.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import { lives, signalTo } from "./processes.ts";

/** How long a killed process may take to end, and its monitor to say so. */
const DYING_MS = 8_000;
const MAX_OPEN_FILES = 65_536;
const MAX_READY = 32;

export interface ConmonRuntimeSettings {
  readonly names: HostNames;
  /** The host's data directory, absolute. Bundles and exit files are in its `run`. */
  readonly dataDir: string;
  readonly clock: Clock;
  /** The one to use; else crun or runc, whichever works. */
  readonly runtime?: OciRuntime;
  readonly faultPoint?: FaultPoint;
  /** Containers that stand ready at the most; 32 unless told. Each takes some 4 MiB of memory. */
  readonly maxReady?: number;
}

/** Containers by crun or runc, each with a conmon beside it. */
export class ConmonRuntime extends ContainerRuntime {
  /** The OCI runtime that was found to work here. */
  readonly runtime: OciRuntime;
  readonly #clock: Clock;
  readonly #cgroups: Cgroups;
  readonly #traces: ContainerTraces;
  readonly #exits: ExitWatch;
  readonly #launcher: Launcher;
  readonly #executor: Executor;
  readonly #turns: OneAtATime;
  readonly #maxReady: number;
  /** Ids of the containers that stand ready, oldest first. */
  readonly #ready: Set<string>;

  private constructor(parts: Parts) {
    super();
    this.runtime = parts.runtime;
    this.#clock = parts.clock;
    this.#cgroups = parts.cgroups;
    this.#traces = parts.traces;
    this.#exits = parts.exits;
    this.#launcher = parts.launcher;
    this.#executor = parts.executor;
    this.#turns = parts.turns;
    this.#maxReady = parts.maxReady;
    this.#ready = new Set(parts.ready);
  }

  /** Finds a runtime that works, and watches over what an earlier agent launched. */
  static async open(settings: ConmonRuntimeSettings): Promise<ConmonRuntime> {
    const { names, clock } = settings;
    const { bundles, exits: exitFolder } = containerFolders(settings.dataDir);
    const folders = [bundles, exitFolder, names.runtimeRoot, names.socketFolder];
    await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
    const cgroups = new Cgroups();
    const runtime = settings.runtime ?? (await chooseRuntime(names, cgroups));
    const records = new Exits(exitFolder);
    const traces = new ContainerTraces(names, bundles, records, cgroups, runtime);
    const turns = new OneAtATime();
    const exits = new ExitWatch({ traces, exits: records, runtime, cgroups, clock, turns });
    const launcher = new Launcher({
      ...{ runtime, traces, clock, faultPoint: settings.faultPoint ?? noFault },
      limitsSwap: cgroups.limitsSwap,
      maxOpenFiles: Math.min(MAX_OPEN_FILES, await ownMaxOpenFiles()),
      monitors: {
        exitFolder,
        socketFolder: names.socketFolder,
        shelter: await cgroups.shelter(`${names.cgroupParent}/${MONITORS_GROUP}`),
      },
    });
    await exits.open();
    const { maxReady = MAX_READY } = settings;
    const ready = await traces.ready();
    const executor = new Executor({ runtime, traces, cgroups });
    await allSettled((await traces.list()).map((containerId) => executor.sweep(containerId)));
    const found = { runtime, cgroups, traces, turns, ready };
    return new ConmonRuntime({ ...found, clock, exits, launcher, executor, maxReady });
  }

  /** Stops watching. Containers and monitors stay (I5). */
  close(): void {
    this.#exits.close();
  }

  override async makeReady(spec: LaunchSpec, signal: AbortSignal): Promise<void> {
    if (this.#maxReady === 0) return;
    const containerId = containerIdOf(spec);
    await this.#turns.take(containerId, async () => {
      await this.#launcher.makeReady(spec, signal);
      this.#ready.add(containerId);
    });
    const tooMany = [...this.#ready].slice(0, -this.#maxReady);
    await allSettled(tooMany.map((oldest) => this.#removeReady(oldest)));
  }

  override launch(spec: LaunchSpec, signal: AbortSignal): Promise<Launched> {
    const containerId = containerIdOf(spec);
    return this.#turns.take(containerId, async () => {
      this.#ready.delete(containerId);
      const launched = await this.#launcher.launch(spec, signal);
      this.#exits.watch(containerId);
      return launched;
    });
  }

  override async sendSignal(machineId: string, startId: string, signalName: string): Promise<void> {
    if (!(signalName in constants.signals)) throw new TerminalError("invalid", `${signalName} is no signal`);
    await this.#signal(containerIdOf({ machineId, startId }), signalName as NodeJS.Signals);
  }

  override async awaitExit(
    machineId: string,
    startId: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<MachineExit> {
    const containerId = containerIdOf({ machineId, startId });
    if ((await this.#traces.bundleOf(containerId).started()) === undefined)
      return this.#neverBegan(containerId);
    const byItself = await this.#exits.next(containerId, timeoutMs, signal);
    if (byItself !== undefined) return byItself;
    await this.#signal(containerId, "SIGKILL");
    this.#cgroups.thaw(this.#traces.cgroupOf(containerId));
    const killed = await this.#exits.next(containerId, DYING_MS, signal);
    if (killed !== undefined) return killed;
    throw new RetryAfterError(
      "not_dying",
      "the process does not end, though killed: it waits for I/O",
      1_000,
    );
  }

  override exitOf(machineId: string, startId: string): Promise<MachineExit | undefined> {
    return this.#exits.exitOf(containerIdOf({ machineId, startId }));
  }

  override onExit(listener: ExitListener): () => void {
    return this.#exits.add(listener);
  }

  override async knows(machineId: string, startId: string): Promise<boolean> {
    return (await this.#traces.bundleOf(containerIdOf({ machineId, startId })).started()) !== undefined;
  }

  override exec(
    machineId: string,
    startId: string,
    spec: ExecSpec,
    signal: AbortSignal,
  ): Promise<ExecProcess> {
    return this.#executor.run(containerIdOf({ machineId, startId }), spec, signal);
  }

  override async list(): Promise<RuntimeContainer[]> {
    return Promise.all((await this.#traces.list()).map((containerId) => this.#describe(containerId)));
  }

  override async removeContainers(machineId: string, exceptStartId?: string): Promise<void> {
    const containerIds = (await this.#traces.list()).filter((containerId) => {
      const start = startOfContainer(containerId)!;
      return start.machineId === machineId && start.startId !== exceptStartId;
    });
    await allSettled(containerIds.map((containerId) => this.#remove(containerId)));
  }

  /** Removes a container that stands ready, unless it is launched first. */
  #removeReady(containerId: string): Promise<void> {
    return this.#turns.take(containerId, async () => {
      const isUnused = (await this.#traces.bundleOf(containerId).started()) === undefined;
      if (this.#ready.delete(containerId) && isUnused) await this.#traces.wipe(containerId);
    });
  }

  #remove(containerId: string): Promise<void> {
    return this.#turns.take(containerId, async () => {
      this.#ready.delete(containerId);
      this.#exits.forget(containerId);
      await this.#traces.wipe(containerId);
    });
  }

  /** Signals the container's first process, and notes before that its end was asked for. */
  async #signal(containerId: string, signal: NodeJS.Signals): Promise<void> {
    const first = await this.runtime.processOf(containerId);
    if (first === undefined || !lives(first)) return;
    await this.#traces.bundleOf(containerId).noteStopRequested();
    signalTo(first, signal);
  }

  async #neverBegan(containerId: string): Promise<MachineExit> {
    await this.#remove(containerId);
    const record = { status: EXIT_CODE_UNKNOWN, exitedAtMs: this.#clock.nowMs() };
    return exitFrom(record, { oomKilled: false, stopRequested: true });
  }

  async #describe(containerId: string): Promise<RuntimeContainer> {
    const start = startOfContainer(containerId)!;
    const first = await this.runtime.processOf(containerId);
    if (first === undefined || !lives(first)) return { ...start, state: "stopped", pid: 0 };
    const isWaiting = this.runtime.isWaiting(containerId, first);
    return { ...start, state: isWaiting ? "created" : "running", pid: first.pid };
  }
}

interface Parts {
  readonly runtime: OciRuntime;
  readonly clock: Clock;
  readonly cgroups: Cgroups;
  readonly traces: ContainerTraces;
  readonly exits: ExitWatch;
  readonly launcher: Launcher;
  readonly executor: Executor;
  readonly turns: OneAtATime;
  readonly maxReady: number;
  readonly ready: readonly string[];
}

/** Control group, below the host's own, of all its monitors. */
export const MONITORS_GROUP = "monitors";

/** Where a host's containers have their bundles and exit files. */
export function containerFolders(dataDir: string): { readonly bundles: string; readonly exits: string } {
  return { bundles: join(dataDir, "run", "bundles"), exits: join(dataDir, "run", "exits") };
}

async function ownMaxOpenFiles(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8");
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  return hard === undefined || hard === "unlimited" ? MAX_OPEN_FILES : Number(hard);
}
