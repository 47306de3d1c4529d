import type { ReplayStep } from "#contracts";
import { momentOf } from "./moment.ts";

/** Steps asked for at once; the API gives no more. */
export const CHUNK = 2_000;
/** Steps kept at the most: what is farthest from the cursor is dropped first. */
export const MOST_STEPS = 12 * CHUNK;

/** An unbroken run of steps around the moment shown. Those before `cursor` are in the scene, the others still to come. */
export class StepWindow {
  #steps: ReplayStep[] = [];
  cursor = 0;
  /** Whether history has more before the first, after the last. */
  moreBefore = false;
  moreAfter = false;

  get steps(): readonly ReplayStep[] {
    return this.#steps;
  }

  /** The last step that is in the scene. */
  get current(): ReplayStep | undefined {
    return this.#steps[this.cursor - 1];
  }

  get next(): ReplayStep | undefined {
    return this.#steps[this.cursor];
  }

  /** How many steps are there to be played, and to be taken back. */
  get ahead(): number {
    return this.#steps.length - this.cursor;
  }

  get first(): ReplayStep | undefined {
    return this.#steps[0];
  }

  get last(): ReplayStep | undefined {
    return this.#steps.at(-1);
  }

  /** Starts anew around a moment. */
  reset(before: readonly ReplayStep[], after: readonly ReplayStep[]): void {
    this.#steps = [...before, ...after];
    this.cursor = before.length;
  }

  append(steps: readonly ReplayStep[], more: boolean): void {
    for (const step of steps) this.#steps.push(step);
    this.moreAfter = more;
    const excess = this.#steps.length - MOST_STEPS;
    const droppable = Math.min(excess, this.cursor - CHUNK);
    if (droppable < CHUNK) return;
    this.#steps.splice(0, droppable);
    this.cursor -= droppable;
    this.moreBefore = true;
  }

  prepend(steps: readonly ReplayStep[], more: boolean): void {
    this.#steps = [...steps, ...this.#steps];
    this.cursor += steps.length;
    this.moreBefore = more;
    const excess = this.#steps.length - MOST_STEPS;
    const droppable = Math.min(excess, this.ahead - CHUNK);
    if (droppable < CHUNK) return;
    this.#steps.splice(this.#steps.length - droppable, droppable);
    this.moreAfter = true;
  }

  /**
   * How many of the steps have happened at a time (epoch milliseconds). Undefined when the time lies outside of what
   * is here.
   */
  cursorAt(atMs: number): number | undefined {
    const { first, last } = this;
    if (first === undefined || last === undefined) return this.moreBefore || this.moreAfter ? undefined : 0;
    if (atMs < first.atMs) return this.moreBefore ? undefined : 0;
    if (atMs >= last.atMs) return this.moreAfter ? undefined : this.#steps.length;
    let low = 0;
    let high = this.#steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#steps[middle]!.atMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many steps there are up to and including the one of this id or moment. Undefined when it is not here. */
  cursorAfter(moment: string): number | undefined {
    const place = this.#steps.findIndex((step) => step.id === moment || momentOf(step) === moment);
    return place < 0 ? undefined : place + 1;
  }
}
