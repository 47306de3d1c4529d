import type { Clock } from "#kernel";
import { isTerminal, type Machine } from "#machines";
import { containerIdOf, type RuntimeContainer } from "#runtime";
import type { Decisions } from "../decisions.ts";
import type { RuntimePorts } from "../effects/index.ts";
import { endOf } from "../react/process-end.ts";
import type { Reactor } from "../react/reactor.ts";

type ReconciledPorts = Pick<RuntimePorts, "containers" | "network" | "rootfs" | "logs">;

/**
 * Brings log and runtime together after a start. What runs is adopted by leaving it alone (I5), an exit that nobody
 * watched is written down, a machine that should run and does not (the host rebooted) has ended. A container that the
 * log knows nothing of is reported and not touched: it may be somebody else's (F21, fail closed).
 */
export class Reconciliation {
  readonly #decisions: Decisions;
  readonly #ports: ReconciledPorts;
  readonly #reactor: Reactor;
  readonly #clock: Clock;

  constructor(decisions: Decisions, ports: ReconciledPorts, reactor: Reactor, clock: Clock) {
    this.#decisions = decisions;
    this.#ports = ports;
    this.#reactor = reactor;
    this.#clock = clock;
  }

  async run(): Promise<void> {
    const found = await this.#ports.containers.list();
    for (const container of found) await this.#reportUnlessKnown(container);
    await this.#reportLeftovers();
    const running = new Set(found.filter(({ state }) => state === "running").map(containerIdOf));
    for (const { id: machineId, state, startId } of this.#decisions.host.machines.values()) {
      if (state !== "started" || startId === undefined) continue;
      if (!running.has(containerIdOf({ machineId, startId }))) await this.#catchUpExit(machineId, startId);
    }
  }

  async #reportUnlessKnown(container: RuntimeContainer): Promise<void> {
    const machine = this.#decisions.machine(container.machineId);
    const reason = whyUnknown(container, machine);
    if (reason === undefined) return;
    await this.#decisions.own({
      type: "ReportUnknownContainer",
      containerId: containerIdOf(container),
      reason: `${reason}; it is ${container.state} and left alone`,
    });
  }

  /** Networks, root filesystems and logs of machines that the log does not know: left alone as well. */
  async #reportLeftovers(): Promise<void> {
    const { network, rootfs, logs } = this.#ports;
    const found = (await Promise.all([network.list(), rootfs.list(), logs.list()])).flat();
    const unknown = new Set(found.filter((machineId) => isGone(this.#decisions.machine(machineId))));
    if (unknown.size === 0) return;
    const named = [...unknown].slice(0, NAMED).join(", ");
    const message = `networks, filesystems or logs of ${unknown.size} machines that the log does not know: ${named}`;
    await this.#decisions.own({ type: "RaiseAlarm", alarm: "unknown_leftovers", message });
  }

  async #catchUpExit(machineId: string, startId: string): Promise<void> {
    const exit = await endOf(this.#ports.containers, { machineId, startId }, this.#clock.nowMs());
    if (exit !== undefined) await this.#reactor.recordExit(machineId, startId, exit);
  }
}

/** How many are named in an alarm. */
const NAMED = 20;

function isGone(machine: Machine | undefined): boolean {
  return machine === undefined || isTerminal(machine.state);
}

/** Operations in progress know what to do with what they left; else only the process of the last start may run. */
function whyUnknown(container: RuntimeContainer, machine: Machine | undefined): string | undefined {
  if (machine === undefined) return "the log knows no such machine";
  if (isTerminal(machine.state)) return `the log says that its machine is ${machine.state}`;
  const mayRun = machine.operation !== undefined || machine.startId === container.startId;
  if (mayRun || container.state !== "running") return undefined;
  return `the log says that its machine is ${machine.state}, not that this start of it runs`;
}
