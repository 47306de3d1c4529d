import type { RecordedEvent } from "#contracts";
import type { Moment } from "#fleet";
import type { Position } from "#kernel";
import { Census, type Extent, extentOf } from "./extent.ts";
import type { History, OnUnreadable, Stretch } from "./history.ts";
import type { World } from "./world.ts";

export interface TimelineSettings {
  readonly history: History;
  /** Told of events that are whole, and cannot be folded. */
  readonly onUnreadable: OnUnreadable;
}

/** All of history, and the world at any moment of it. */
export class Timeline {
  readonly history: History;
  readonly #onUnreadable: OnUnreadable;

  constructor({ history, onUnreadable }: TimelineSettings) {
    this.history = history;
    this.#onUnreadable = onUnreadable;
  }

  /** The world before all events: where whoever wants to see each one begins. */
  beginning(): Promise<World> {
    return this.history.beginning();
  }

  /** The world at a moment: it is the caller's, to go on from. */
  async at(moment: Moment): Promise<World> {
    const world = await this.history.beginning();
    for await (const batch of this.history.arrivals({ until: moment })) {
      for (const event of batch) this.apply(world, event);
    }
    return world;
  }

  /** The moment of an event: it, and everything that may have led to it. Undefined when there is no such event. */
  async momentOf(eventId: string): Promise<Moment | undefined> {
    const event = await this.history.event(eventId);
    if (event === undefined) return undefined;
    const { log, sequence, header } = event;
    return { kind: "event", log, sequence, clock: header.clock };
  }

  /** Where a moment is: of each log the last sequence that counts. */
  async position(moment: Moment): Promise<Position> {
    return (await this.at(moment)).position;
  }

  /** How much there is, from when to when. */
  async extent(): Promise<Extent> {
    const census = new Census();
    for await (const batch of this.history.arrivals()) for (const event of batch) census.count(event);
    return extentOf(census.slices());
  }

  /** Events after a world, in causal order, up to a moment. */
  after(world: World, stretch: Omit<Stretch, "after"> = {}): AsyncIterable<readonly RecordedEvent[]> {
    return this.history.ordered({ ...stretch, after: world.position });
  }

  /** Applies an event, and reports one that cannot be folded. */
  apply(world: World, event: RecordedEvent): void {
    const reason = world.apply(event);
    if (reason !== undefined) this.#onUnreadable(`${event.log}:${event.sequence}`, reason);
  }
}
