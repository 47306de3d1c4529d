import type { HybridTime } from "#kernel";
import type { BlockPlace } from "./block-file.ts";

/**
 * A round is a stretch of what arrived at the hub, and how everything stood at its end. Arrivals have numbers (FLEET's
 * sequences) that mean nothing but where to read: what a round says of a log, it says by that log's own sequences.
 */
export interface Round {
  /** They count from 1. */
  readonly number: number;
  /** FLEET's sequence at its end. */
  readonly fleet: number;
  /** What stands there: by it one knows whether it still is the same FLEET. Absent before anything arrived. */
  readonly fleetEnd?: { readonly log: string; readonly sequence: number };
  /** CONTROL's last sequence at its end. */
  readonly control: number;
  /** What changed of CONTROL; absent where the round brought none of it, and nothing of it was forgotten. */
  readonly controlPart?: ControlPart;
  /** Of each log that the round brought events of, what they are and what they add up to. */
  readonly logs: readonly LogPart[];
  readonly slices: readonly RoundSlice[];
  /** What could not be read or folded: place and reason, the first few. */
  readonly unreadable: readonly (readonly [string, string])[];
}

/** Events of one log: the first and the last one of a round, and their place in time. */
export interface Span {
  readonly first: number;
  readonly firstClock: HybridTime;
  readonly last: number;
  /** The greatest of all clocks of the log, up to here: it may have gone back since (F20). */
  readonly clock: HybridTime;
}

/** What one log adds up to, with the events of a round. */
export interface LogPart extends Span {
  readonly log: string;
  readonly hostId: string;
  readonly state: BlockPlace;
  /** The machines' latest events: all of them, or what the round added to those of the part before. */
  readonly histories: BlockPlace;
  readonly hasAllHistories: boolean;
  /** What the host forgot in this round: it changes CONTROL's part. Absent for nothing. */
  readonly forgotten?: BlockPlace;
}

/** CONTROL as of a round, without what hosts forgot by then. */
export interface ControlPart {
  readonly state: BlockPlace;
  /** Absent where only something was forgotten. */
  readonly span?: Span;
}

/** Events that arrived one after the other: enough to tell where in time a round is, and which events it may have. */
export interface RoundSlice {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly events: number;
  readonly failures: number;
  /** Least and greatest event id. */
  readonly leastId: string;
  readonly greatestId: string;
}

/** What an index is of. Any difference makes all of its rounds worthless. */
export interface IndexHead {
  readonly format: number;
  readonly foldVersion: number;
  readonly controlLog: string;
  readonly fleetCreated: string;
}

/**
 * Events after which a round ends: half of it, on average, is what a question folds on top of a part. With less, rounds would
 * take more of the disk than the events themselves.
 */
export const ROUND_EVENTS = 5_000;

export function roundFile(number: number): string {
  return `round-${String(number).padStart(9, "0")}`;
}
