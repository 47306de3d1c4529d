import type { Clock } from "#kernel";
import { isTerminal, type Machine } from "#machines";
import { type ContainerRuntime, containerIdOf, type RuntimeContainer } from "#runtime";
import type { Decisions } from "../decisions.ts";
import { endOf } from "../react/process-end.ts";
import type { Reactor } from "../react/reactor.ts";

/**
 * Brings log and runtime together after a start. What runs is adopted by leaving it alone (I5), an exit that nobody
 * watched is written down, a machine that should run and does not (the host rebooted) has ended. A container that the
 * log knows nothing of is reported and not touched: it may be somebody else's (F21, fail closed).
 */
export class Reconciliation {
  readonly #decisions: Decisions;
  readonly #containers: ContainerRuntime;
  readonly #reactor: Reactor;
  readonly #clock: Clock;

  constructor(decisions: Decisions, containers: ContainerRuntime, reactor: Reactor, clock: Clock) {
    this.#decisions = decisions;
    this.#containers = containers;
    this.#reactor = reactor;
    this.#clock = clock;
  }

  async run(): Promise<void> {
    for (const container of await this.#containers.list()) await this.#reportUnlessKnown(container);
    for (const machine of this.#decisions.host.machines.values()) {
      if (machine.state === "started" && machine.startId !== undefined) {
        await this.#catchUpExit(machine.id, machine.startId);
      }
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

  async #catchUpExit(machineId: string, startId: string): Promise<void> {
    const exit = await endOf(this.#containers, { machineId, startId }, this.#clock.nowMs());
    if (exit !== undefined) await this.#reactor.recordExit(machineId, startId, exit);
  }
}

/** Operations in progress know what to do with what they left; else only the process of the last start may run. */
function whyUnknown(container: RuntimeContainer, machine: Machine | undefined): string | undefined {
  if (machine === undefined) return "the log knows no such machine";
  if (isTerminal(machine.state)) return `the log says that its machine is ${machine.state}`;
  const mayRun = machine.operation !== undefined || machine.startId === container.startId;
  if (mayRun || container.state !== "running") return undefined;
  return `the log says that its machine is ${machine.state}, not that this start of it runs`;
}
