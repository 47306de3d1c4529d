import type { RecordedEvent, RequestTrace } from "#contracts";
import type { EventRef } from "../event-ref.ts";

/** What somebody wants explained. */
export interface WhyQuestion {
  readonly kind: "machine" | "volume" | "host" | "operation" | "request" | "event";
  readonly id: string;
}

export type CauseKind =
  | "request"
  | "command"
  | "bid"
  | "refusal"
  | "decision"
  | "operation"
  | "step"
  | "event"
  | "route"
  | "wait";

/** A node of the causal tree: its children came of it, or are its parts, in the order of time. */
export interface Cause {
  readonly kind: CauseKind;
  /** One line. */
  readonly title: string;
  readonly detail?: string;
  /** Epoch milliseconds. */
  readonly atMs?: number;
  readonly durationMs?: number;
  readonly event?: EventRef;
  readonly children: readonly Cause[];
}

/** Something that does not go on by itself, or only some day (I9). */
export interface Waiting {
  readonly what: string;
  /** Epoch milliseconds. */
  readonly sinceMs: number;
  readonly because: string;
  /** What would let it go on: a command to give, or what has to happen. */
  readonly releasedBy: string;
}

export interface Explanation {
  /** One sentence. */
  readonly headline: string;
  readonly causes: readonly Cause[];
  readonly stuck: readonly Waiting[];
  /** Of a request: what its router told of it. */
  readonly trace?: RequestTrace;
  /** Of a request: the events that it caused, or that the start did which it joined; in causal order. */
  readonly events?: readonly RecordedEvent[];
}

/** Where traces of requests are: they are no events. Undefined when no router told of the request. */
export type FindTrace = (requestId: string) => Promise<RequestTrace | undefined>;
