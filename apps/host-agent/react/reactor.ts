import type { HostLogEvent, MachineExit, RecordedEvent } from "#contracts";
import { isMachineEvent, isVolumeEvent } from "#hosts";
import type { Clock } from "#kernel";
import { type Machine, owedCommand } from "#machines";
import type { OperationRunner } from "#operations";
import type { ContainerRuntime } from "#runtime";
import { isSnapshotEvent } from "#volumes";
import type { Cause, Decisions } from "../decisions.ts";
import { endOf } from "./process-end.ts";

/**
 * Makes happen what has to happen next by itself: an operation goes on, a command that is owed is given, an exit is
 * written down. All of it follows from a machine's state, never from the event alone, so that a crash between two events
 * loses nothing: looking at every machine once after a start is enough.
 */
export class Reactor {
  readonly #decisions: Decisions;
  readonly #runner: OperationRunner;
  readonly #containers: ContainerRuntime;
  readonly #clock: Clock;
  readonly #onTrouble: (thrown: unknown) => void;

  /** `onTrouble` hears of whatever could not be written down; the machine is to be looked at again later. */
  constructor(
    decisions: Decisions,
    runner: OperationRunner,
    containers: ContainerRuntime,
    clock: Clock,
    onTrouble: (thrown: unknown) => void,
  ) {
    this.#decisions = decisions;
    this.#runner = runner;
    this.#containers = containers;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
  }

  /** After each event of the log, once it is acknowledged. */
  onEvent(event: RecordedEvent<HostLogEvent>): void {
    if (isVolumeEvent(event)) {
      const { snapshotId = "" } = isSnapshotEvent(event) ? event.data : {};
      this.#runner.wake(snapshotId || event.data.volumeId);
    }
    if (!isMachineEvent(event)) return;
    const cause = { causationId: event.header.id, correlationId: event.header.correlationId };
    this.react(event.data.machineId, cause);
    if (event.type === "MachineStarted") void this.#catchUpExit(event.data.machineId, cause);
  }

  /** After each exit that the runtime tells of; it may tell of one twice, or before the start is written down. */
  onExit(machineId: string, startId: string, exit: MachineExit): void {
    void this.recordExit(machineId, startId, exit);
  }

  /** Looks at every machine, volume and snapshot: volumes are owed nothing but the end of their operations. */
  reactAll(): void {
    const { machines, volumes, snapshots } = this.#decisions.host;
    for (const machineId of machines.keys()) this.react(machineId);
    this.#runner.resumeAll([...volumes.keys(), ...snapshots.keys()]);
  }

  /** Looks at every machine again after something could not be written down: an exit is told only once. */
  lookAgain(): void {
    this.reactAll();
    for (const { id, state, startId } of this.#decisions.host.machines.values()) {
      if (state === "started" && startId !== undefined) void this.#catchUpExit(id);
    }
  }

  /** Looks at one machine. */
  react(machineId: string, cause?: Cause): void {
    const machine = this.#decisions.machine(machineId);
    if (machine === undefined) return;
    if (machine.operation !== undefined) this.#runner.wake(machineId);
    else this.#giveOwed(machine, cause).catch(this.#onTrouble);
  }

  /** Writes down how a process ended, unless an operation waits for that end itself. */
  async recordExit(machineId: string, startId: string, exit: MachineExit, cause?: Cause): Promise<void> {
    const machine = this.#decisions.machine(machineId);
    if (machine?.state !== "started" || machine.startId !== startId) return;
    const command = { type: "RecordExit", origin: "runtime", startId, exit } as const;
    await this.#decisions.ownOf(machineId, command, cause).catch(this.#onTrouble);
  }

  /**
   * The process may have ended before its start was written down: nobody could tell of that end then. One that was
   * kept from an earlier start may even have been lost without a trace.
   */
  async #catchUpExit(machineId: string, cause?: Cause): Promise<void> {
    const startId = this.#decisions.machine(machineId)?.startId;
    if (startId === undefined) return;
    try {
      const exit = await endOf(this.#containers, { machineId, startId }, this.#clock.nowMs());
      if (exit !== undefined) await this.recordExit(machineId, startId, exit, cause);
    } catch (thrown) {
      this.#onTrouble(thrown);
    }
  }

  async #giveOwed(machine: Machine, cause: Cause | undefined): Promise<void> {
    const owed = owedCommand(machine);
    if (owed === undefined) return;
    const { commandId, ...command } = owed;
    const { causationId, correlationId } = cause ?? { causationId: machine.id, correlationId: machine.id };
    const because = { causationId, correlationId: owed.correlationId ?? correlationId };
    const recorded = await this.#decisions.ownOf(machine.id, command, {
      ...because,
      ...(commandId === undefined ? {} : { commandId }),
    });
    if (recorded.kind === "accepted") return;
    await this.#dropIntent(machine, recorded.kind === "refused" ? recorded.refusal : ALREADY_SO, because);
  }

  /** What was queued came to nothing: said in the log, not tried for ever (I9). */
  async #dropIntent(
    machine: Machine,
    why: { readonly code: string; readonly message: string },
    cause: Cause,
  ): Promise<void> {
    const queued = this.#decisions.machine(machine.id)?.queued;
    if (queued === undefined || queued.commandId !== machine.queued?.commandId) return;
    const { code, message } = why;
    await this.#decisions.ownOf(machine.id, { type: "DropIntent", origin: "host", code, message }, cause);
  }
}

const ALREADY_SO = { code: "wrong_state", message: "the machine is what was asked for already" };
