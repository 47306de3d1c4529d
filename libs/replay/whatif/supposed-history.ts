import type { RecordedEvent } from "#contracts";
import { RefusedError, refusal } from "#kernel";
import type { SupposedChange } from "./change.ts";

/** One event of a history as it is supposed to have been. */
export interface Supposed {
  readonly event: RecordedEvent;
  /** It is taken as it is: nobody is asked whether it would have been decided. */
  readonly isGiven: boolean;
}

/** Turns events as they were into events as they are supposed to have been. To be given each one, in causal order. */
export class SupposedHistory {
  readonly #change: SupposedChange;
  /** Ids that a change names and that have not come by yet. */
  readonly #awaited: Set<string>;

  constructor(change: SupposedChange) {
    this.#change = change;
    this.#awaited = new Set([
      ...(change.drop ?? []),
      ...(change.edit?.keys() ?? []),
      ...(change.insert?.keys() ?? []),
    ]);
  }

  /** What happens in the place of an event: nothing, it, it with other data, and what is inserted after it. */
  instead(event: RecordedEvent): Supposed[] {
    const { id } = event.header;
    if (!this.#awaited.delete(id)) return [{ event, isGiven: false }];
    const { drop = [], edit, insert } = this.#change;
    const data = edit?.get(id);
    const itself: Supposed[] =
      data === undefined
        ? [{ event, isGiven: false }]
        : [{ event: { ...event, data } as RecordedEvent, isGiven: true }];
    const added = (insert?.get(id) ?? []).map((one) => ({ event: { ...one }, isGiven: true }));
    return [...(drop.includes(id) ? [] : itself), ...added];
  }

  /** Throws where a change is about an event that never came: it would look like no change at all. */
  assertComplete(): void {
    const [id] = this.#awaited;
    if (id === undefined) return;
    throw new RefusedError(refusal("not_found", `no event ${id} is in that stretch of history`));
  }
}
