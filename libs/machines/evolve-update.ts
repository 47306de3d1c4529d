import type { MachineEvent } from "#contracts";
import { outputOf } from "#kernel";
import type { BeforeUpdate, Machine } from "./state.ts";

/** The machine with the new config in place and the old one kept, until the update has ended. */
export function beginUpdate(
  machine: Machine,
  data: Extract<MachineEvent, { type: "MachineUpdating" }>["data"],
): Machine {
  const { config, instanceId, resources, imageDigest, state, skipLaunch, holdsResources } = machine;
  const before = { config, instanceId, resources, state, skipLaunch, holdsResources };
  return {
    ...machine,
    config: data.config,
    instanceId: data.instanceId,
    resources: data.resources,
    skipLaunch: data.skipLaunch,
    holdsResources: holdsResources || !data.skipLaunch,
    beforeUpdate: imageDigest === undefined ? before : { ...before, imageDigest },
  };
}

/** The new config has come to stay, with the image that was pulled for it. */
export function endUpdate(machine: Machine): Machine {
  const { beforeUpdate: _, ...rest } = machine;
  const pulled = machine.operation && outputOf(machine.operation, "pull-image")?.digest;
  return typeof pulled === "string" ? { ...rest, imageDigest: pulled } : rest;
}

/** The old config is back, and the state that the machine was updated in. */
export function revertUpdate(machine: Machine, before: BeforeUpdate): Machine {
  const { beforeUpdate: _, ...rest } = machine;
  return { ...rest, ...before };
}
