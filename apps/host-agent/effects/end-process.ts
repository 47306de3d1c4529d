import { z } from "zod";
import type { Effect } from "#operations";
import type { ContainerRuntime } from "#runtime";

const signalInput = z.object({ signal: z.string(), startId: z.string() });
const exitInput = z.object({ timeoutMs: z.number(), startId: z.string() });

/** Asks the process to end. After a crash it may be asked twice: better than never. */
export function sendSignal(containers: ContainerRuntime): Effect {
  return async ({ subjectId, step }) => {
    const { signal, startId } = signalInput.parse(step.input);
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
