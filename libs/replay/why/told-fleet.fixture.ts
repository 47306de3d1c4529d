import type { RecordedEvent } from "#contracts";
import { type StepOutcome, wallMsOf } from "#kernel";
import { owedCommand } from "#machines";
import { SimulatedFleet } from "#testing";

/** A simulated fleet whose events say what they came of, as those of real hosts do. */
export class ToldFleet extends SimulatedFleet {
  /** What somebody asks for, under a request of his. */
  asks(requestId: string, actor: string, act: () => void): void {
    const before = this.cause;
    this.cause = { causationId: requestId, correlationId: requestId, actor };
    act();
    this.cause = before;
  }

  /** As the host's own reactor goes on: with an operation, or with what is owed after the last event. */
  goOn(hostId: string, machineId: string, outcome?: StepOutcome): boolean {
    const machine = this.host(hostId).machines.get(machineId);
    if (machine === undefined) return false;
    const run = machine.operation;
    const actor = `host:${hostId}`;
    if (run !== undefined) {
      this.cause = { causationId: run.id, correlationId: run.correlationId ?? run.id, actor };
      if (outcome === undefined) return this.step(hostId, machineId);
      this.command(hostId, machineId, {
        type: "RecordStep",
        origin: "operation",
        operationId: run.id,
        outcome,
      });
      return true;
    }
    if (owedCommand(machine) === undefined) return false;
    const { id, correlationId } = this.last(hostId).header;
    this.cause = { causationId: id, correlationId, actor };
    return this.step(hostId, machineId);
  }

  /** Goes on until the machine rests. */
  rest(hostId: string, machineId: string): void {
    while (this.goOn(hostId, machineId)) this.clock.jump(5);
  }

  last(hostId: string): RecordedEvent {
    return this.logs.get(this.host(hostId).logId)!.at(-1)!;
  }

  get lastMs(): number {
    return wallMsOf(this.events().at(-1)!.header.clock);
  }

  /** The process ends by itself. */
  dies(hostId: string, machineId: string, exit: { exit_code: number; oom_killed?: boolean }): void {
    const { startId = "" } = this.host(hostId).machines.get(machineId)!;
    const id = this.ids.ulid();
    this.cause = { causationId: id, correlationId: id, actor: `host:${hostId}` };
    const how = {
      guest_signal: 0,
      oom_killed: false,
      requested_stop: false,
      exited_at_ms: this.clock.nowMs(),
    };
    this.command(hostId, machineId, {
      ...{ type: "RecordExit", origin: "runtime", startId },
      exit: { ...how, ...exit },
    });
  }
}
