import { constants } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { MachineExit } from "#contracts";
import { type Clock, TerminalError } from "#kernel";
import {
  ContainerRuntime,
  EXIT_CODE_UNKNOWN,
  type ExitListener,
  type Launched,
  type LaunchSpec,
  type RuntimeContainer,
} from "../containers/container-runtime.ts";
import type { ExecProcess, ExecSpec } from "../containers/exec-process.ts";
import { exitFrom } from "../containers/exits.ts";
import { containerIdOf } from "../names.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import { SimulatedExec } from "./simulated-exec.ts";
import type { SimulatedContainer, SimulatedLife } from "./simulated-kernel.ts";
import { programOf } from "./simulated-program.ts";

/** Containers in memory. What their processes do, their arguments say: see `programOf`. */
export class SimulatedContainerRuntime extends ContainerRuntime {
  readonly #life: SimulatedLife;
  readonly #clock: Clock;
  readonly #listeners = new Set<ExitListener>();
  readonly #turns = new OneAtATime();

  constructor(life: SimulatedLife, clock: Clock) {
    super();
    this.#life = life;
    this.#clock = clock;
    life.kernel.onExit((containerId) => this.#tell(containerId, this.#listeners));
  }

  override makeReady(spec: LaunchSpec, signal: AbortSignal): Promise<void> {
    const containerId = containerIdOf(spec);
    return this.#turns.take(containerId, async () => {
      signal.throwIfAborted();
      if (!isReady(this.#find(containerId), spec)) await this.#create(containerId, spec);
    });
  }

  override launch(spec: LaunchSpec, signal: AbortSignal): Promise<Launched> {
    const containerId = containerIdOf(spec);
    return this.#turns.take(containerId, async () => {
      signal.throwIfAborted();
      const before = this.#find(containerId);
      const container = isReady(before, spec) ? before : await this.#create(containerId, spec);
      if (container.startedAtMs === undefined) await this.#note(container);
      if (container.runs === 0 && container.exit === undefined) await this.#release(containerId, container);
      return { startedAtMs: container.startedAtMs!, pid: container.exit === undefined ? container.pid : 0 };
    });
  }

  override async sendSignal(machineId: string, startId: string, signalName: string): Promise<void> {
    const number = constants.signals[signalName as NodeJS.Signals];
    if (number === undefined) throw new TerminalError("invalid", `${signalName} is no signal`);
    await this.#life.effect("send signal", () => this.#signal(containerIdOf({ machineId, startId }), number));
  }

  override async awaitExit(
    machineId: string,
    startId: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<MachineExit> {
    const containerId = containerIdOf({ machineId, startId });
    if (this.#find(containerId)?.startedAtMs === undefined) {
      await this.#life.effect("remove container", () => this.#life.kernel.containers.delete(containerId));
      const record = { status: EXIT_CODE_UNKNOWN, exitedAtMs: this.#clock.nowMs() };
      return exitFrom(record, { oomKilled: false, stopRequested: true });
    }
    await this.#ended(containerId, timeoutMs, signal);
    await this.#life.effect("kill", () => this.#signal(containerId, constants.signals.SIGKILL));
    return this.#exitOf(containerId)!;
  }

  override async exitOf(machineId: string, startId: string): Promise<MachineExit | undefined> {
    return this.#exitOf(containerIdOf({ machineId, startId }));
  }

  override onExit(listener: ExitListener): () => void {
    this.#listeners.add(listener);
    queueMicrotask(() => {
      for (const containerId of this.#life.kernel.containers.keys()) this.#tell(containerId, [listener]);
    });
    return () => this.#listeners.delete(listener);
  }

  override async knows(machineId: string, startId: string): Promise<boolean> {
    return this.#find(containerIdOf({ machineId, startId }))?.startedAtMs !== undefined;
  }

  override async exec(
    machineId: string,
    startId: string,
    spec: ExecSpec,
    signal: AbortSignal,
  ): Promise<ExecProcess> {
    signal.throwIfAborted();
    const container = this.#find(containerIdOf({ machineId, startId }));
    const runs = container !== undefined && container.runs > 0 && container.exit === undefined;
    if (!runs) throw new TerminalError("wrong_state", "its process does not run");
    if (programOf(spec.args).isMissing) throw new TerminalError("launch_failed", `exec: "${spec.args[0]}"`);
    const begun = new SimulatedExec(spec);
    this.#life.kernel.whenGone(containerIdOf({ machineId, startId }), () => begun.kill());
    return begun;
  }

  override async list(): Promise<RuntimeContainer[]> {
    return [...this.#life.kernel.containers.values()]
      .map(({ spec: { machineId, startId }, exit, runs, pid }): RuntimeContainer => {
        if (exit !== undefined) return { machineId, startId, state: "stopped", pid: 0 };
        return { machineId, startId, state: runs > 0 ? "running" : "created", pid };
      })
      .sort((a, b) => (containerIdOf(a) < containerIdOf(b) ? -1 : 1));
  }

  override async removeContainers(machineId: string, exceptStartId?: string): Promise<void> {
    await this.#life.effect("remove containers", () => {
      for (const [containerId, { spec }] of this.#life.kernel.containers) {
        const isMeant = spec.machineId === machineId && spec.startId !== exceptStartId;
        if (isMeant) this.#life.kernel.containers.delete(containerId);
      }
    });
  }

  async #create(containerId: string, spec: LaunchSpec): Promise<SimulatedContainer> {
    if (programOf(spec.process.args).isMissing)
      throw new TerminalError("launch_failed", `exec: "${spec.process.args[0]}": no such file or directory`);
    const container = await this.#life.effect("create container", () => {
      const made: SimulatedContainer = {
        spec,
        pid: this.#life.kernel.nextPid(),
        runs: 0,
        stopRequested: false,
      };
      this.#life.kernel.containers.set(containerId, made);
      return made;
    });
    return container;
  }

  async #note(container: SimulatedContainer): Promise<void> {
    await this.#life.effect("note start", () => {
      container.startedAtMs = this.#clock.nowMs();
    });
  }

  async #release(containerId: string, container: SimulatedContainer): Promise<void> {
    await this.#life.effect("release process", () => {
      container.runs += 1;
      const { endsWith } = programOf(container.spec.process.args);
      if (endsWith !== undefined) this.#end(containerId, endsWith);
    });
  }

  #signal(containerId: string, number: number): void {
    const container = this.#find(containerId);
    if (container === undefined || container.exit !== undefined) return;
    container.stopRequested = true;
    const status = programOf(container.spec.process.args).statusAfter(number);
    if (status !== undefined) this.#end(containerId, status);
  }

  #end(containerId: string, status: number): void {
    this.#life.kernel.endProcess(containerId, { status, oomKilled: false, exitedAtMs: this.#clock.nowMs() });
  }

  /** Resolves when the process has ended, or after `timeoutMs`. */
  async #ended(containerId: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const stop = this.onExit((machineId, startId) => {
      if (containerIdOf({ machineId, startId }) === containerId) done.abort();
    });
    try {
      await this.#clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal]));
    } catch (error) {
      if (!done.signal.aborted) throw error;
    } finally {
      stop();
    }
  }

  #exitOf(containerId: string): MachineExit | undefined {
    const container = this.#find(containerId);
    if (container?.exit === undefined) return undefined;
    return exitFrom(container.exit, {
      oomKilled: container.exit.oomKilled,
      stopRequested: container.stopRequested,
    });
  }

  #find(containerId: string): SimulatedContainer | undefined {
    return this.#life.kernel.containers.get(containerId);
  }

  #tell(containerId: string, listeners: Iterable<ExitListener>): void {
    const exit = this.#exitOf(containerId);
    const container = this.#find(containerId);
    if (exit === undefined || container === undefined) return;
    const { machineId, startId } = container.spec;
    for (const listener of [...listeners]) listener(machineId, startId, exit);
  }
}

/** Whether it may be launched as it is: made from the same spec, or begun before. */
function isReady(
  container: SimulatedContainer | undefined,
  spec: LaunchSpec,
): container is SimulatedContainer {
  if (container === undefined) return false;
  if (container.startedAtMs !== undefined) return true;
  return container.exit === undefined && isDeepStrictEqual(container.spec, spec);
}
