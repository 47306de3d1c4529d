import { z } from "zod";
import type { Effect } from "#operations";
import type { ContainerRuntime, MachineLogs } from "#runtime";
import { type MachineOf, type PlacePorts, placeOf } from "./prepare.ts";
import { processOf } from "./process.ts";

const input = z.object({ startId: z.string(), layerKey: z.string() });

/** What a launch needs of the world. */
export interface LaunchPorts extends PlacePorts {
  readonly containers: ContainerRuntime;
  readonly logs: MachineLogs;
}

/** Runs the machine's process, once per start. */
export function launch(ports: LaunchPorts, machineOf: MachineOf): Effect {
  return async (context) => {
    const machine = machineOf(context);
    const { startId, layerKey } = input.parse(context.step.input);
    const { image, ...place } = await placeOf(ports, context, machine, layerKey);
    const { startedAtMs } = await ports.containers.launch(
      {
        machineId: machine.id,
        startId,
        ...place,
        hostname: machine.id,
        addresses: [machine.ipv4, machine.privateIp],
        process: processOf(machine, image),
        resources: machine.resources,
        logPath: await ports.logs.prepare(machine.id),
      },
      context.signal,
    );
    return { startedAtMs };
  };
}
