import type { RecordedEvent } from "#contracts";
import type { Timeline, World } from "#timeline";
import { baseOf } from "../archive/base-parts.ts";
import type { Stretched } from "./relive.ts";

/**
 * The last events of a history that is read through, and the state before them: memory does not grow with its length. What
 * leaves the window is folded into that state.
 */
export class RecentEvents {
  readonly #timeline: Timeline;
  readonly #most: number;
  /** The world before the window. */
  readonly #before: World;
  #events: RecordedEvent[] = [];
  /** How many at the front have left already. */
  #left = 0;
  #isFromBeginning = true;

  /** `before`: the world before the first event, changed in place from now on. */
  constructor(timeline: Timeline, before: World, most: number) {
    this.#timeline = timeline;
    this.#before = before;
    this.#most = most;
    this.#isFromBeginning = Object.keys(before.position).length === 0;
  }

  add(event: RecordedEvent): void {
    this.#events.push(event);
    if (this.#events.length - this.#left <= this.#most) return;
    this.#timeline.apply(this.#before, this.#events[this.#left]!);
    this.#left += 1;
    this.#isFromBeginning = false;
    if (this.#left < this.#most) return;
    this.#events = this.#events.slice(this.#left);
    this.#left = 0;
  }

  /** What is in the window. */
  stretch(): Stretched {
    const events = this.#events.slice(this.#left);
    return this.#isFromBeginning ? { events } : { events, base: baseOf(this.#before) };
  }
}
