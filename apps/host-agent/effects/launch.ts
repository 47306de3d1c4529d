import { z } from "zod";
import type { Effect } from "#operations";
import type { ContainerRuntime } from "#runtime";
import type { LaunchSpecOf } from "./launch-spec.ts";
import { type MachineOf, type PlacePorts, placeOf } from "./place.ts";

const input = z.object({ startId: z.string(), layerKey: z.string() });

/** What a launch needs of the world. */
export interface LaunchPorts extends PlacePorts {
  readonly containers: ContainerRuntime;
}

/** Runs the machine's process, once per start. */
export function launch(ports: LaunchPorts, machineOf: MachineOf, specOf: LaunchSpecOf): Effect {
  return async (context) => {
    const machine = machineOf(context);
    const { startId, layerKey } = input.parse(context.step.input);
    const place = await placeOf(ports, context, machine, layerKey);
    const { startedAtMs } = await ports.containers.launch(specOf(machine, startId, place), context.signal);
    return { startedAtMs };
  };
}
