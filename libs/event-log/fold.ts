import type { RecordedEvent } from "#contracts";

/** How events become a state. Pure, except that `evolve` may change the state in place and return it. */
export interface Fold<S> {
  /** Changes whenever the same events would fold to another state (I4). */
  readonly version: number;
  empty(): S;
  /** May throw for an event that it cannot take, before it changed anything: that event is then quarantined (I10). */
  evolve(state: S, event: RecordedEvent): S;
  /** Plain JSON; the result stays as it is when the state changes later. */
  toJson(state: S): unknown;
  fromJson(json: unknown): S;
}
