import type { RecordedEvent, ReplayExtent, ReplayStep, ReplaySteps } from "#contracts";
import type { Moment } from "#fleet";
import { type Clock, formatPosition, wallMsOf } from "#kernel";
import { applyAndCompare, type Effect, formatEntity, isFailure, type Timeline, type World } from "#timeline";
import { breath } from "./breath.ts";
import { momentText } from "./moment-text.ts";
import type { StepFilter } from "./question.ts";
import { stepJson } from "./step-json.ts";
import { windowBefore } from "./window-before.ts";
import { WorldCache } from "./world-cache.ts";

/** A filter that fits little is searched for this long; whoever asked goes on from where it ended. */
const SEARCH_MS = 200;
/** Worlds kept where a walk ended: playing goes on there. */
const MOST_WORLDS = 4;
/** Looking back for what a filter fits: so many events at a time. */
const SEARCHED_AT_ONCE = 4_000;
/** An answer with more changes than this ends early. */
const MOST_CHANGES = 20_000;

export interface Wish {
  readonly limit: number;
  readonly filter: StepFilter;
  readonly signal: AbortSignal;
}

/** An event that was walked over. */
interface Passed {
  readonly event: RecordedEvent;
  readonly effect: Effect;
}

/** Walks through history in causal order, and tells what each event did. */
export class Walk {
  readonly #timeline: Timeline;
  readonly #extent: () => Promise<ReplayExtent>;
  readonly #clock: Clock;
  readonly #worlds = new WorldCache(MOST_WORLDS);

  /** `extent`: how dense history is, as well as it is known. */
  constructor(timeline: Timeline, extent: () => Promise<ReplayExtent>, clock: Clock) {
    this.#timeline = timeline;
    this.#extent = extent;
    this.#clock = clock;
  }

  /** What comes after a moment. */
  async after(moment: Moment, { limit, filter, signal }: Wish): Promise<ReplaySteps> {
    const world = await this.#worldAt(moment, signal);
    const endMs = this.#clock.monotonicMs() + SEARCH_MS;
    const steps: ReplayStep[] = [];
    let last: RecordedEvent | undefined;
    let more = false;
    let changes = 0;
    const isOver = () =>
      steps.length >= limit ||
      changes > MOST_CHANGES ||
      (isNarrow(filter) && this.#clock.monotonicMs() > endMs);
    walking: for await (const batch of this.#timeline.after(world)) {
      await breath(signal);
      for (const event of batch) {
        more = isOver();
        if (more) break walking;
        const passed = { event, effect: applyAndCompare(world, event) };
        last = event;
        if (!isWanted(passed, filter)) continue;
        steps.push(stepJson(event, passed.effect));
        changes += passed.effect.changes.length;
      }
    }
    const reached = last === undefined ? placeOf(moment, world) : momentText(last);
    this.#worlds.put(reached, world);
    return { steps, more, reached };
  }

  /** What comes before a moment, up to and including it: the last ones, oldest first. */
  async before(moment: Moment, wish: Wish): Promise<ReplaySteps> {
    const { limit, filter } = wish;
    const deadlineMs = this.#clock.monotonicMs() + SEARCH_MS;
    const extent = await this.#extent();
    let steps: ReplayStep[] = [];
    let until = moment;
    let endMs = await this.#endMsOf(moment, extent);
    let widened = 1;
    for (;;) {
      const wanted = limit - steps.length;
      const sought = isNarrow(filter) ? Math.max(SEARCHED_AT_ONCE, wanted) : wanted;
      const windowMs = windowBefore(extent, endMs, sought) * widened;
      const { fromMs, isFirst, last, dropped } = await this.#lookBack(until, endMs, windowMs, wanted, wish);
      steps = [...last.map(({ event, effect }) => stepJson(event, effect)), ...steps];
      if (dropped !== undefined) return { steps, more: true, reached: momentText(dropped) };
      if (isFirst) return { steps, more: false };
      const isOver = steps.length >= limit || this.#clock.monotonicMs() > deadlineMs;
      if (isOver && (steps.length > 0 || isNarrow(filter))) {
        return { steps, more: true, reached: String(fromMs) };
      }
      until = { kind: "time", atMs: fromMs };
      endMs = fromMs;
      widened *= 4;
    }
  }

  /** The last ones that are wanted within a window; one that holds far too many is made narrower. */
  async #lookBack(until: Moment, endMs: number, windowMs: number, most: number, { filter, signal }: Wish) {
    const tooMany = Math.max(8 * most, 5 * SEARCHED_AT_ONCE);
    for (let width = Math.ceil(windowMs); ; width = Math.ceil(width / 8)) {
      const fromMs = Math.max(-1, Math.floor(endMs - width));
      const world = await this.#timeline.at({ kind: "time", atMs: fromMs });
      const isFirst = Object.keys(world.position).length === 0;
      const walked = width > 1 ? tooMany : Number.POSITIVE_INFINITY;
      const found = await this.#lastOf(world, until, most, walked, { filter, signal });
      if (found !== undefined) return { fromMs, isFirst, ...found };
    }
  }

  /**
   * The last ones that are wanted, of what comes after a world up to and including a moment; and the one right before
   * these, if there is one. Undefined when there are more to walk over than `walked`.
   */
  async #lastOf(
    world: World,
    until: Moment,
    most: number,
    walked: number,
    { filter, signal }: Omit<Wish, "limit">,
  ): Promise<{ readonly last: readonly Passed[]; readonly dropped: RecordedEvent | undefined } | undefined> {
    const last: Passed[] = [];
    let dropped: RecordedEvent | undefined;
    let count = 0;
    walking: for await (const batch of this.#timeline.after(world, { until })) {
      await breath(signal);
      count += batch.length;
      if (count > walked) return undefined;
      for (const event of batch) {
        const passed = { event, effect: applyAndCompare(world, event) };
        if (isWanted(passed, filter)) last.push(passed);
        // Not each time: shifting thousands of places costs more than holding twice as many.
        if (last.length > 2 * most) dropped = last.splice(0, last.length - most).at(-1)?.event;
        if (isAt(event, until)) break walking;
      }
    }
    const surplus = last.splice(0, Math.max(0, last.length - most));
    return { last, dropped: surplus.at(-1)?.event ?? dropped };
  }

  /**
   * The world up to a moment, in the order in which walks go. Of events of the same instant in several logs, a moment that
   * is an event would include all: here it is where the walk passes it.
   */
  async #worldAt(moment: Moment, signal: AbortSignal): Promise<World> {
    const kept = this.#worlds.take(placeOf(moment));
    if (kept !== undefined) return kept;
    if (moment.kind !== "event") return this.#timeline.at(moment);
    const world = await this.#timeline.at({ kind: "time", atMs: wallMsOf(moment.clock) - 1 });
    if ((world.position[moment.log] ?? 0) >= moment.sequence) return world;
    for await (const batch of this.#timeline.after(world, { until: moment })) {
      await breath(signal);
      for (const event of batch) {
        this.#timeline.apply(world, event);
        if (isAt(event, moment)) return world;
      }
    }
    return world;
  }

  /** Wall time from which to look back. */
  async #endMsOf(moment: Moment, { lastMs }: ReplayExtent): Promise<number> {
    switch (moment.kind) {
      case "time":
        return Math.min(moment.atMs, Math.max(lastMs, this.#clock.nowMs()));
      case "event":
        return wallMsOf(moment.clock);
      case "position":
        return (await this.#timeline.at(moment)).nowMs;
      case "now":
        return Math.max(lastMs, this.#clock.nowMs());
    }
  }
}

function isAt(event: RecordedEvent, moment: Moment): boolean {
  return moment.kind === "event" && event.log === moment.log && event.sequence === moment.sequence;
}

/** Whether a filter may leave so much out that finding something takes long. */
function isNarrow({ entity, type, failures }: StepFilter): boolean {
  return entity !== undefined || type !== undefined || failures === true;
}

function isWanted({ event, effect }: Passed, { entity, type, failures }: StepFilter): boolean {
  if (type !== undefined && event.type !== type) return false;
  if (failures === true && !isFailure(event)) return false;
  return entity === undefined || effect.touched.some((touched) => formatEntity(touched) === entity);
}

/** A moment as text. Of now it is what the world there includes; without one, it is no place that stays. */
function placeOf(moment: Moment, world?: World): string {
  switch (moment.kind) {
    case "now":
      return world === undefined ? "now" : formatPosition(world.position);
    case "time":
      return String(moment.atMs);
    case "event":
      return `${moment.log}:${moment.sequence}@${moment.clock}`;
    case "position":
      return formatPosition(moment.position);
  }
}
