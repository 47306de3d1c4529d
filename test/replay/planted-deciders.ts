import type { HostLogEvent } from "#contracts";
import { type ControlCommand, type ControlState, decideControl } from "#control";
import { decideHost, type Host, type HostCommand } from "#hosts";
import type { Decision } from "#kernel";
import type { Machine } from "#machines";
import type { ForeignDeciders } from "#testing";

/*
 * Deciders as a release with a bug would have them: each decides as the real one does, of a state in which it overlooks
 * something, or gets one event wrong.
 */

type DecideHost = (command: HostCommand, host: Host) => Decision<HostLogEvent>;

/** The real decider, shown a host that is otherwise than it is. */
function overlooking(blind: (host: Host, command: HostCommand) => Host): ForeignDeciders {
  const decide: DecideHost = (command, host) => decideHost(command, blind(host, command));
  return { decideHost: decide };
}

function overlookingControl(blind: (state: ControlState) => ControlState): ForeignDeciders {
  return { decideControl: (command: ControlCommand, state) => decideControl(command, blind(state)) };
}

function withMachine(host: Host, id: string, change: (machine: Machine) => Machine): Host {
  const machine = host.machines.get(id);
  if (machine === undefined) return host;
  return { ...host, machines: new Map(host.machines).set(id, change(machine)) };
}

/** Promises memory that there is not. */
export const overcommitting = overlooking((host) => ({
  ...host,
  capacity: { cpuMillis: 1e9, memoryMib: 1e9, volumeMib: 1e9 },
}));

/** Starts a machine while it is starting. */
export const startingTwice = overlooking((host, command) => {
  if (command.type !== "Machine" || command.command.type !== "StartMachine") return host;
  return withMachine(host, command.machineId, ({ operation: _, ...machine }) =>
    machine.state === "starting" ? { ...machine, state: "stopped" } : machine,
  );
});

/** Lets a second machine mount a volume. */
export const sharingVolumes = overlooking((host) => ({
  ...host,
  volumes: new Map([...host.volumes].map(([id, { attachedMachineId: _, ...volume }]) => [id, volume])),
}));

/** Takes machines while it is cordoned. */
export const ignoringCordons = overlooking(({ cordon: _, ...host }) => host);

/** Gives out addresses from the beginning again. */
export const reusingAddresses = overlooking((host) => ({
  ...host,
  nextAddress: 256,
  holdings: { ...host.holdings, addresses: new Set() },
}));

/** Gives a machine's epoch to another host. */
export const reusingEpochs = overlookingControl((state) => ({ ...state, placements: new Map() }));

/** Gives a name to whoever asks. */
export const sharingNames = overlookingControl((state) => ({ ...state, names: new Map() }));

/** Takes the end of a stop for one more of its steps. */
export const neverEnding: ForeignDeciders = {
  decideHost(command, host) {
    const decision = decideHost(command, host);
    if (decision.kind !== "accepted" || decision.event.type !== "MachineStopped") return decision;
    const { machineId, operationId } = decision.event.data;
    const data = { machineId, operationId, step: "prepare", output: null };
    return { kind: "accepted", event: { type: "StepCompleted", data } };
  },
};

/** Writes down that a process started when it ended. */
export const mistakingExits: ForeignDeciders = {
  decideHost(command, host) {
    const decision = decideHost(command, host);
    if (decision.kind !== "accepted" || decision.event.type !== "MachineExited") return decision;
    const { machineId, operation, exit } = decision.event.data;
    const data = { machineId, operationId: operation.id, startedAtMs: exit.exited_at_ms };
    return { kind: "accepted", event: { type: "MachineStarted", data } };
  },
};
