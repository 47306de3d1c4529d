import type { RecordedEvent } from "#contracts";
import type { Deciders } from "../redecide/deciders.ts";

/** What is imagined to have been otherwise. Anything that is left out is as it was. */
export interface SupposedChange {
  /** Others decide. */
  readonly deciders?: Partial<Deciders>;
  /** Hosts are ranked by this policy, whatever was asked for. */
  readonly policy?: "spread" | "pack";
  /** Ids of events that did not happen. */
  readonly drop?: readonly string[];
  /** Events that said something else: by event id, the whole data. */
  readonly edit?: ReadonlyMap<string, RecordedEvent["data"]>;
  /** Events that happened as well, each right after the event of that id. */
  readonly insert?: ReadonlyMap<string, readonly RecordedEvent[]>;
}
