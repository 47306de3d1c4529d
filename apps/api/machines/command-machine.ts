import type { BusClient } from "#bus";
import { type CallMeta, hostCalls, type MachineRequest, subjects } from "#contracts";
import { type Position, RefusedError } from "#kernel";
import type { Machine } from "#machines";
import type { FleetReader, Located } from "../fleet/fleet-reader.ts";

/** What a host decided. */
export interface Commanded {
  readonly hostId: string;
  readonly position: Position;
  readonly machine: Machine;
}

/** Passes a command to the host that owns the machine. The host decides; the API only knows where it is (I3). */
export class CommandMachine {
  readonly #fleet: FleetReader;
  readonly #bus: BusClient;

  constructor(fleet: FleetReader, bus: BusClient) {
    this.#fleet = fleet;
    this.#bus = bus;
  }

  async run(located: Located, command: MachineRequest, meta: CallMeta): Promise<Commanded> {
    const { hostId, machine } = located;
    const subject = subjects.hostCommand(hostId, "machine");
    const body = { machineId: machine.id, command };
    const result = await this.#bus.call(hostCalls.machine, subject, body, meta);
    if (result.kind === "refused") throw new RefusedError(result.refusal);
    const decided = result.answer.machine as unknown as Machine;
    await this.#fleet.reach(result.answer.position);
    return { hostId, position: result.answer.position, machine: decided };
  }
}
