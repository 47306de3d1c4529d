import type { AnyEvent, CallMeta, RecordedEvent } from "#contracts";
import type { Position, Refusal } from "#kernel";

/** Who asked for a command, and what led to it: what the event's header says of its origin. */
export type CommandMeta = Omit<CallMeta, "deadlineMs">;

/** What became of a command. `position` includes everything that the answer was decided from, and the event itself. */
export type Recorded<E extends AnyEvent = AnyEvent> =
  | { readonly kind: "accepted"; readonly event: RecordedEvent<E>; readonly position: Position }
  | { readonly kind: "unchanged"; readonly position: Position }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly position: Position };
