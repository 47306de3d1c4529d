import type { CallMeta, MachineRequest } from "#contracts";
import type { Position } from "#kernel";
import type { Machine } from "#machines";
import type { CommandHost } from "../fleet/command-host.ts";
import type { Located } from "../fleet/fleet-reader.ts";

/** What a host decided. */
export interface Commanded {
  readonly hostId: string;
  readonly position: Position;
  readonly machine: Machine;
}

/** Passes a command to the host that owns the machine. */
export class CommandMachine {
  readonly #hosts: CommandHost;

  constructor(hosts: CommandHost) {
    this.#hosts = hosts;
  }

  async run({ hostId, machine }: Located, command: MachineRequest, meta: CallMeta): Promise<Commanded> {
    const decided = await this.#hosts.run("machine", hostId, { machineId: machine.id, command }, meta);
    return { hostId, position: decided.position, machine: decided.machine as unknown as Machine };
  }
}
