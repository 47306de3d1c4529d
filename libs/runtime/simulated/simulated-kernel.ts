import type { PublishedPort } from "#contracts";
import type { LaunchSpec } from "../containers/container-runtime.ts";
import { type FaultPoint, noFault } from "../fault-point.ts";
import type { NetworkSpec } from "../network/machine-network.ts";

/** One container in memory. */
export interface SimulatedContainer {
  readonly spec: LaunchSpec;
  readonly pid: number;
  /** Set before the process is let go; from then on it is never made anew. */
  startedAtMs?: number;
  /** How often the process began: more than once is a fault of the adapter. */
  runs: number;
  exit?: SimulatedExit;
  stopRequested: boolean;
}

export interface SimulatedExit {
  /** Exit code, or 128 and a signal's number. */
  readonly status: number;
  readonly oomKilled: boolean;
  readonly exitedAtMs: number;
}

/**
 * What of a host outlives its agent: containers, networks, and the ports that others hold. Each agent works on it in a
 * life of its own; an agent that crashed changes nothing any more, whatever of it still runs.
 */
export class SimulatedKernel {
  readonly containers = new Map<string, SimulatedContainer>();
  readonly networks = new Map<string, NetworkSpec>();
  /** Ports that machines publish, by "tcp-80", each with its machine. */
  readonly publishedPorts = new Map<string, string>();
  /** Ports that processes of the host hold, as "tcp-80". */
  readonly foreignPorts = new Set<string>();
  #exitListeners: ((containerId: string) => void)[] = [];
  /** What ends what an agent runs beside containers' processes. */
  #besides: { readonly containerId: string; readonly end: () => void }[] = [];
  #lives = 0;
  #lastPid = 1000;

  /** Begins an agent's life; the one before is over. `faultPoint`: called before and after each of its effects. */
  newLife(faultPoint: FaultPoint = noFault): SimulatedLife {
    this.#lives += 1;
    this.#exitListeners = [];
    this.#endBesides(() => true);
    return new SimulatedLife(this, this.#lives, faultPoint);
  }

  /** Ends the agent's life: nothing of what it still has under way happens. */
  crash(): void {
    this.#lives += 1;
    this.#exitListeners = [];
    this.#endBesides(() => true);
  }

  isCurrent(life: number): boolean {
    return life === this.#lives;
  }

  nextPid(): number {
    this.#lastPid += 1;
    return this.#lastPid;
  }

  /** Ends a process, with or without an agent to see it. `status`: its exit code, or 128 and a signal's number. */
  endProcess(containerId: string, exit: SimulatedExit): void {
    const container = this.containers.get(containerId);
    if (container === undefined || container.exit !== undefined) return;
    container.exit = exit;
    this.#endBesides((each) => each === containerId);
    for (const listener of this.#exitListeners) listener(containerId);
  }

  /** For adapters: calls `end` once the container's process has ended, or the agent of this life. */
  whenGone(containerId: string, end: () => void): void {
    this.#besides.push({ containerId, end });
  }

  /** For adapters: calls `listener` at each exit, until this life is over. */
  onExit(listener: (containerId: string) => void): void {
    this.#exitListeners.push(listener);
  }

  #endBesides(isMeant: (containerId: string) => boolean): void {
    const ending = this.#besides.filter(({ containerId }) => isMeant(containerId));
    this.#besides = this.#besides.filter(({ containerId }) => !isMeant(containerId));
    for (const { end } of ending) end();
  }
}

/** Thrown at whoever acts after its life is over. */
export class CrashedError extends Error {
  constructor() {
    super("the agent that does this has crashed");
    this.name = "CrashedError";
  }
}

/** One agent's hold on the kernel, from its start to its crash. */
export class SimulatedLife {
  readonly kernel: SimulatedKernel;
  readonly #life: number;
  readonly #faultPoint: FaultPoint;

  constructor(kernel: SimulatedKernel, life: number, faultPoint: FaultPoint) {
    this.kernel = kernel;
    this.#life = life;
    this.#faultPoint = faultPoint;
  }

  /** Does one effect, with a place to crash before and one after it: "before link", "after link". */
  async effect<T>(name: string, work: () => T): Promise<T> {
    await this.#faultPoint(`before ${name}`);
    if (!this.kernel.isCurrent(this.#life)) throw new CrashedError();
    const result = work();
    await this.#faultPoint(`after ${name}`);
    return result;
  }
}

export function portKey({ protocol, host_port }: PublishedPort): string {
  return `${protocol}-${host_port}`;
}
