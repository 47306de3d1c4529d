import { type BusClient, insist, isUnreachable } from "#bus";
import { type CallMeta, hostCalls, type MachineRequest, subjects } from "#contracts";
import { type Clock, Deadline, type Position, RefusedError } from "#kernel";
import type { Machine } from "#machines";
import type { FleetReader, Located } from "../fleet/fleet-reader.ts";

/** What a host decided. */
export interface Commanded {
  readonly hostId: string;
  readonly position: Position;
  readonly machine: Machine;
}

/** An agent that is restarted is back before this has passed; a host that is cut off is not worth waiting for. */
const PATIENCE_MS = 8_000;
const TRY_MS = 4_000;

/** Passes a command to the host that owns the machine. The host decides; the API only knows where it is (I3). */
export class CommandMachine {
  readonly #fleet: FleetReader;
  readonly #bus: BusClient;
  readonly #clock: Clock;

  constructor(fleet: FleetReader, bus: BusClient, clock: Clock) {
    this.#fleet = fleet;
    this.#bus = bus;
    this.#clock = clock;
  }

  /** However often it is asked, the host decides once on a command's id. */
  async run(located: Located, command: MachineRequest, meta: CallMeta): Promise<Commanded> {
    const { hostId, machine } = located;
    const subject = subjects.hostCommand(hostId, "machine");
    const body = { machineId: machine.id, command };
    const deadline = new Deadline(this.#clock, Math.min(PATIENCE_MS, meta.deadlineMs));
    const result = await insist(
      (deadlineMs) => this.#bus.call(hostCalls.machine, subject, body, { ...meta, deadlineMs }),
      { clock: this.#clock, deadline, tryMs: TRY_MS, isPassing: isUnreachable },
    );
    if (result.kind === "refused") throw new RefusedError(result.refusal);
    const decided = result.answer.machine as unknown as Machine;
    await this.#fleet.reach(result.answer.position);
    return { hostId, position: result.answer.position, machine: decided };
  }
}
