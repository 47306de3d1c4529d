import type { Refusal } from "./refusal.ts";

/**
 * What became of a command. One accepted command makes exactly one event: no crash can leave half a decision in
 * the log, and every prefix of a log is a state that was decided on.
 */
export type Decision<E> =
  | { readonly kind: "accepted"; readonly event: E }
  /** The state is already what the command asks for, or the command was decided before. Nothing is written. */
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Pure domain logic (after Chassaing's Decider). Time, ids and random numbers arrive inside the command. */
export interface Decider<C, S, E> {
  decide(command: C, state: S): Decision<E>;
  evolve(state: S, event: E): S;
}

export const UNCHANGED: Decision<never> = { kind: "unchanged" };

export function accepted<E>(event: E): Decision<E> {
  return { kind: "accepted", event };
}

export function refused(reason: Refusal): Decision<never> {
  return { kind: "refused", refusal: reason };
}
