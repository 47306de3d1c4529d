import { z } from "zod";
import type { Effect } from "#operations";
import type { LaunchPorts } from "./launch.ts";
import type { LaunchSpecOf } from "./launch-spec.ts";
import { type MachineOf, placeOf } from "./place.ts";

const input = z.object({ layerKey: z.string() });

/** Making the container ready only spares time: it may not take more than a stop's caller would wait for. */
const READY_TIMEOUT_MS = 5_000;

/**
 * Makes ready for the next start, which bears the layer's key: its place, and a container in it. At this step no process
 * of the machine may run. What keeps the container from being made is for the launch to find, and to tell.
 */
export function prepare(ports: LaunchPorts, machineOf: MachineOf, specOf: LaunchSpecOf): Effect {
  return async (context) => {
    const { layerKey } = input.parse(context.step.input);
    const machine = machineOf(context);
    const place = await placeOf(ports, context, machine, layerKey);
    const inTime = AbortSignal.any([context.signal, AbortSignal.timeout(READY_TIMEOUT_MS)]);
    const makeReady = async () => ports.containers.makeReady(specOf(machine, layerKey, place), inTime);
    await makeReady().catch(() => undefined);
    return null;
  };
}
