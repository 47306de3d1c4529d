import type { AnswerOf, CallMeta, RequestOf, schedulerCalls } from "#contracts";
import type { OwnerGone } from "#control";

export type PlaceRequest = RequestOf<typeof schedulerCalls.place>;
export type Placed = AnswerOf<typeof schedulerCalls.place>;

/** Who owns a machine from now on. */
export interface Decided {
  readonly hostId: string;
  readonly epoch: number;
}

/** Why one host did not take the machine (F09). */
export interface HostRefusal {
  readonly hostId: string;
  readonly code: string;
  readonly message: string;
}

/** What one epoch of a machine's placement is decided from. */
export interface Deciding {
  readonly request: PlaceRequest;
  readonly epoch: number;
  readonly refusals: readonly HostRefusal[];
  /** The owner of the epoch before, when it refused the commit. */
  readonly ownerGone: OwnerGone | undefined;
  readonly meta: CallMeta;
}
