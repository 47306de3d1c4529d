import { type Decision, refusal, refused } from "#kernel";
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
