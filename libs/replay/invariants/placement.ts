import type { RecordedEvent } from "#contracts";
import type { HostLogView } from "#fleet";
import { isTerminal } from "#machines";
import type { Entity, World } from "#timeline";
import { actRule, stateRule } from "./rules.ts";

/** Hosts that have a living machine of this id, with its epoch there. */
function holders(
  machineId: string,
  logs: ReadonlyMap<string, HostLogView>,
): { hostId: string; epoch: number }[] {
  const found: { hostId: string; epoch: number }[] = [];
  for (const [hostId, { host }] of logs) {
    const machine = host.machines.get(machineId);
    if (machine !== undefined && !isTerminal(machine.state)) found.push({ hostId, epoch: machine.epoch });
  }
  return found;
}

function* machinesOf(logs: ReadonlyMap<string, HostLogView>): Generator<Entity> {
  for (const { host } of logs.values()) for (const id of host.machines.keys()) yield { kind: "machine", id };
}

export const oneHostPerMachine = stateRule({
  name: "one-host-per-machine",
  says: "no two hosts have the same living machine in its newest epoch (F30)",
  all: (_, logs) => machinesOf(logs),
  concerned: ({ event, effect }) =>
    event.type === "MachineCreating" || event.type === "HostLogOpened" || event.type === "HostRegistered"
      ? effect.touched.filter(({ kind }) => kind === "machine")
      : [],
  broken({ id }, _, logs) {
    const living = holders(id, logs);
    if (living.length < 2) return undefined;
    const newest = Math.max(...living.map(({ epoch }) => epoch));
    const owners = living.filter(({ epoch }) => epoch === newest).map(({ hostId }) => hostId);
    if (owners.length < 2) return undefined;
    return `hosts ${owners.sort().join(" and ")} both have it in epoch ${newest}`;
  },
});

type Place = {
  readonly entity: Entity;
  readonly epoch: number;
  readonly hostId?: string;
  /** What stood before. */
  readonly standing?: { readonly epoch: number; readonly hostId?: string };
  readonly isDecided: boolean;
};

/** The place that an event gives to a machine or volume, and the one that it had. */
function placeBefore({ view }: World, event: RecordedEvent): Place | undefined {
  const { placements, volumePlacements } = view.control;
  switch (event.type) {
    case "PlacementDecided":
    case "PlacementRefused": {
      const { machineId: id, epoch } = event.data;
      return place({ kind: "machine", id }, epoch, hostOf(event.data), placements.get(id), true);
    }
    case "VolumePlacementDecided":
    case "VolumePlacementRefused": {
      const { volumeId: id, epoch } = event.data;
      return place({ kind: "volume", id }, epoch, hostOf(event.data), volumePlacements.get(id), true);
    }
    case "MachineCreating": {
      const { machineId: id, epoch } = event.data;
      const hostId = view.logs.get(event.log)?.hostId;
      return place({ kind: "machine", id }, epoch, hostId, placements.get(id), false);
    }
    case "VolumeCreating": {
      const { volumeId: id, epoch } = event.data;
      const hostId = view.logs.get(event.log)?.hostId;
      return place({ kind: "volume", id }, epoch, hostId, volumePlacements.get(id), false);
    }
    default:
      return undefined;
  }
}

function hostOf(data: object): string | undefined {
  return (data as { readonly hostId?: string }).hostId;
}

function place(
  entity: Entity,
  epoch: number,
  hostId: string | undefined,
  standing: Place["standing"],
  isDecided: boolean,
): Place {
  return {
    entity,
    epoch,
    ...(hostId === undefined ? {} : { hostId }),
    ...(standing === undefined ? {} : { standing }),
    isDecided,
  };
}

export const onePlacePerEpoch = actRule<Place>({
  name: "one-place-per-epoch",
  says: "an epoch of a machine or volume names one host, and it is made on no other (I2)",
  before: placeBefore,
  broken({ entity, epoch, hostId, standing, isDecided }) {
    if (standing === undefined || standing.epoch !== epoch || standing.hostId === hostId) return undefined;
    const [one, other] = [standing.hostId ?? "no host", hostId ?? "no host"];
    if (isDecided) return { entity, message: `epoch ${epoch} is given to ${other}, and ${one} has it` };
    return { entity, message: `it is made on ${other} in epoch ${epoch}, which is that of ${one}` };
  },
});

export const epochOnlyGrows = actRule<Place>({
  name: "epoch-only-grows",
  says: "each decision about a place has a greater epoch than the one before it (F30)",
  before: placeBefore,
  broken({ entity, epoch, standing, isDecided }) {
    if (!isDecided || standing === undefined || epoch > standing.epoch) return undefined;
    return { entity, message: `epoch ${epoch} is decided after epoch ${standing.epoch}` };
  },
});

export const agentEpochOnlyGrows = actRule<{ readonly hostId: string; readonly epoch: number }>({
  name: "agent-epoch-only-grows",
  says: "each agent that takes over a host's log has a greater epoch than the one before it (I1, F19)",
  before({ view }, event) {
    if (event.type !== "AgentEpochClaimed") return undefined;
    return { hostId: event.data.hostId, epoch: view.logs.get(event.log)?.host.agentEpoch ?? 0 };
  },
  broken({ hostId, epoch }, { event }) {
    const claimed = event.type === "AgentEpochClaimed" ? event.data.epoch : epoch + 1;
    if (claimed > epoch) return undefined;
    return { entity: { kind: "host", id: hostId }, message: `agent epoch ${claimed} comes after ${epoch}` };
  },
});
