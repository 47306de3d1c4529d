import { z } from "zod";
import { servicesOf } from "#contracts";
import type { Effect } from "#operations";
import type { ContainerRuntime } from "#runtime";
import type { MachineOf } from "./place.ts";

const signalInput = z.object({ signal: z.string(), startId: z.string() });
const exitInput = z.object({ timeoutMs: z.number(), startId: z.string() });

/** Resolves when requests under way to a machine's run have ended, or need not be waited for any longer. */
export type Released = (startId: string, signal: AbortSignal) => Promise<void>;

/**
 * Asks the process to end, once the requests that it is answering have ended; one that is killed is not asked. After a
 * crash it may be asked twice: better than never.
 */
export function sendSignal(containers: ContainerRuntime, machineOf: MachineOf, released: Released): Effect {
  return async (context) => {
    const { subjectId, step } = context;
    const { signal, startId } = signalInput.parse(step.input);
    const isServing = signal !== "SIGKILL" && servicesOf(machineOf(context).config).length > 0;
    if (isServing) await released(startId, context.signal);
    await containers.sendSignal(subjectId, startId, signal);
    return null;
  };
}

/** Waits until the process has ended; past its time it is killed. The exit is the step's output. */
export function awaitExit(containers: ContainerRuntime): Effect {
  return async ({ subjectId, step, signal }) => {
    const { timeoutMs, startId } = exitInput.parse(step.input);
    return { exit: await containers.awaitExit(subjectId, startId, timeoutMs, signal) };
  };
}

/** Nothing is done to the process. Whether it ended meanwhile is seen once it counts as started. */
export const keepProcess: Effect = async () => null;
