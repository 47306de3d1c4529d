import type { RecordedEvent } from "#contracts";
import { emptyFleet, evolveFleet, type FleetView } from "#fleet";
import { wallMsOf } from "#kernel";
import { RouteTable } from "#routing";

/**
 * The whole plane at one moment, as the fold of everything up to it: hosts, machines, volumes, reservations, operations
 * and what belongs to no host in `view`, what routers route by in `routes`. Goes on from there event by event.
 */
export class World {
  readonly view: FleetView;
  readonly routes: RouteTable;
  readonly #position: Record<string, number>;
  #nowMs: number;

  /** The given view is changed in place from now on. `position`: what it includes. `nowMs`: see `nowMs`. */
  constructor(
    view: FleetView = emptyFleet(),
    position: Readonly<Record<string, number>> = {},
    nowMs: number = 0,
  ) {
    this.view = view;
    this.routes = new RouteTable(view);
    this.#position = { ...position };
    this.#nowMs = nowMs;
  }

  /** The last sequence of each log that is included. */
  get position(): Readonly<Record<string, number>> {
    return this.#position;
  }

  /** Wall time of the latest event that is included, epoch milliseconds; 0 before the first. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /**
   * The world after one more event; each log's have to come in order. Returns why the event could not be folded, if so:
   * then nothing but the position has changed (I10).
   */
  apply(event: RecordedEvent): string | undefined {
    this.#position[event.log] = event.sequence;
    this.#nowMs = Math.max(this.#nowMs, wallMsOf(event.header.clock));
    try {
      evolveFleet(this.view, event);
      this.routes.apply(event);
      return undefined;
    } catch (thrown) {
      return String(thrown);
    }
  }
}
