import { type Decision, refusal, refused } from "#kernel";
import type { Machine } from "./state.ts";

/** The command makes no sense in the machine's state, and waiting would not help. */
export function wrongState(
  command: string,
  machine: Machine,
  why = `it is ${machine.state}`,
): Decision<never> {
  const message = `machine ${machine.id} does not take ${command}: ${why}`;
  return refused(refusal("wrong_state", message, { details: { state: machine.state } }));
}

export function goingToBeDestroyed(command: string, machine: Machine): Decision<never> {
  return wrongState(command, machine, "it is going to be destroyed");
}

/** The command makes sense once the machine has settled. */
export function busy(command: string, machine: Machine): Decision<never> {
  const message = `machine ${machine.id} is ${machine.state}: retry ${command} when it has settled`;
  return refused(refusal("busy", message, { retryAfterMs: 1_000, details: { state: machine.state } }));
}

export function mustStopFirst(machine: Machine): Decision<never> {
  const message = `machine ${machine.id} is ${machine.state}: stop it first, or destroy it with force`;
  return refused(refusal("wrong_state", message, { details: { state: machine.state } }));
}

/** The machine failed a moment ago, and what made it fail is likely to be so still. */
export function stillFailed(command: string, { id, error }: Machine, retryAfterMs: number): Decision<never> {
  const why = error === undefined ? "its last operation failed" : `${error.code}: ${error.message}`;
  const message = `machine ${id} does not take ${command} yet: ${why}`;
  return refused(refusal("effect_failed", message, { retryAfterMs, details: { state: "failed", error } }));
}
