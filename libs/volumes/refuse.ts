import { type Decision, type Refusal, refusal, refused } from "#kernel";
import type { Snapshot, Volume } from "./state.ts";

/** The command makes no sense in this state, and waiting would not help. */
export function wrongState(command: string, { id, state }: Volume | Snapshot): Decision<never> {
  const message = `${id} does not take ${command}: it is ${state}`;
  return refused(refusal("wrong_state", message, { details: { state } }));
}

/** The command makes sense once what goes on has ended. */
export function busy(command: string, { id, state }: Volume | Snapshot): Decision<never> {
  const message = `${id} is ${state}: retry ${command} when it has settled`;
  return refused(refusal("busy", message, { retryAfterMs: 1_000, details: { state } }));
}

/** Whether another volume may begin with what this one holds. One that grows, or that somebody writes, may be forked as well. */
export function refuseFork({ id, state }: Volume): Refusal | undefined {
  if (state === "created" || state === "extending") return undefined;
  const details = { state };
  if (state === "creating" || state === "restoring") {
    const message = `volume ${id} is ${state}: fork it when it is there`;
    return refusal("busy", message, { retryAfterMs: 1_000, details });
  }
  return refusal("wrong_state", `volume ${id} is ${state}: it cannot be forked any more`, { details });
}
