import type { HostLogEvent, MachineConfig } from "#contracts";
import type { HostCommand, HostCommandOf } from "./command.ts";

/**
 * A command for its decision record. Configs and states are left out where the event holds them, as they may be large: a
 * commit that was refused keeps the parts of its config by which it was.
 */
export function describeHost(
  command: HostCommand,
  event?: HostLogEvent,
): { command: string; inputs: Record<string, unknown> } {
  if ("command" in command) {
    const { type, commandId: _, ...inputs } = command.command;
    return { command: type, inputs: { ...aboutOf(command), ...withoutBulk(inputs) } };
  }
  const { type, commandId: _, ...inputs } = command;
  const isRefused = command.type === "CommitMachine" && event?.type === "CommitRefused";
  const config = isRefused ? { config: wishesOf(command.config) } : {};
  return { command: type, inputs: { ...withoutBulk(inputs), ...config } };
}

/** What a command is about, by its ids. */
export function aboutOf(command: HostCommand): {
  machineId?: string;
  volumeId?: string;
  snapshotId?: string;
} {
  return {
    ...("machineId" in command && command.machineId !== undefined && { machineId: command.machineId }),
    ...("volumeId" in command && command.volumeId !== undefined && { volumeId: command.volumeId }),
    ...("volumeId" in command && isOfSnapshot(command) && { snapshotId: command.snapshotId }),
  };
}

function isOfSnapshot(command: HostCommand): command is HostCommandOf<"TakeSnapshot" | "Snapshot"> {
  return command.type === "TakeSnapshot" || command.type === "Snapshot";
}

function withoutBulk(inputs: Record<string, unknown>): Record<string, unknown> {
  const { config: _, previous: __, correlationId: ___, ...rest } = inputs;
  return rest;
}

/** What a host admits a machine by: no program, no environment. */
function wishesOf({ image, guest, publish, placement, mounts }: MachineConfig): MachineConfig {
  return {
    image,
    ...(guest === undefined ? {} : { guest }),
    ...(publish === undefined ? {} : { publish }),
    ...(placement === undefined ? {} : { placement }),
    ...(mounts === undefined ? {} : { mounts }),
  };
}
