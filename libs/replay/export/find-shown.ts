import type { ArchiveShows, RecordedEvent } from "#contracts";
import type { Moment } from "#fleet";
import { RefusedError, refusal } from "#kernel";
import {
  applyAndCompare,
  type Entity,
  factsOf,
  formatEntity,
  type Timeline,
  touchedBy,
  type World,
} from "#timeline";
import { type EventRef, eventRef } from "../event-ref.ts";
import { invariantOf } from "../invariant-of.ts";
import { Watch } from "../invariants/watch.ts";
import { isAbout } from "../scope.ts";
import { RecentEvents } from "./recent-events.ts";
import type { Stretched } from "./relive.ts";
import type { SliceRequest } from "./slice.ts";

/** What a request asks to be shown, where it is, and what may have led to it. */
export interface FoundShown {
  readonly shows: ArchiveShows;
  readonly shownBy: EventRef;
  /** Everything up to it, or the last part of that with the state before. */
  readonly stretch: Stretched;
  readonly headline: string;
}

/** Longer histories are looked at in their last part, with the state before it. */
const MOST_CONSIDERED = 50_000;
const NOW: Moment = { kind: "now" };

/** Reads history until it shows what is asked for. Throws a refusal where it never does. */
export function findShown(timeline: Timeline, request: SliceRequest): Promise<FoundShown> {
  const { invariant, event, entity } = request;
  if (invariant !== undefined) return findBreak(timeline, invariant, request);
  if (event !== undefined) return findEvent(timeline, event, request);
  if (entity !== undefined) return findFacts(timeline, entity, request);
  const message = "name what the slice is to show: an invariant, an event, or a machine or the like";
  throw new RefusedError(refusal("invalid", message));
}

async function findBreak(timeline: Timeline, name: string, request: SliceRequest): Promise<FoundShown> {
  const { entity: scope, until = NOW } = request;
  const invariant = invariantOf(name);
  const watch = new Watch(await before(timeline, request), [invariant]);
  const recent = await recentOf(timeline, request);
  for await (const batch of timeline.after(watch.world, { until })) {
    for (const event of batch) {
      recent.add(event);
      for (const { violation } of watch.apply(event).broken) {
        if (scope !== undefined && !isAbout(scope, violation, watch.world)) continue;
        const { entity, message, event: shownBy } = violation;
        const shows = { kind: "breaks", invariant: name, entity, type: shownBy.type } as const;
        const headline = `${invariant.name}: ${formatEntity(entity)}: ${message}`;
        return { shows, shownBy, stretch: recent.stretch(), headline };
      }
    }
  }
  const whom = scope === undefined ? "" : ` of ${formatEntity(scope)}`;
  throw notFound(`nothing breaks ${invariant.name}${whom}: there is nothing to export`);
}

async function findEvent(timeline: Timeline, eventId: string, request: SliceRequest): Promise<FoundShown> {
  const moment = await timeline.momentOf(eventId);
  if (moment === undefined) throw notFound(`the logs hold no event ${eventId}`);
  const recent = await recentOf(timeline, request);
  const world = await before(timeline, request);
  for await (const batch of timeline.after(world, { until: moment })) {
    for (const event of batch) {
      recent.add(event);
      if (event.header.id !== eventId) {
        timeline.apply(world, event);
        continue;
      }
      const { changes } = applyAndCompare(world, event);
      const shows = { kind: "changes", event: eventId, changes: [...changes] } as const;
      const headline = `what ${event.type} changes`;
      return { shows, shownBy: eventRef(event), stretch: recent.stretch(), headline };
    }
  }
  throw notFound(`event ${eventId} stands before the slice that is looked at`);
}

async function findFacts(timeline: Timeline, entity: Entity, request: SliceRequest): Promise<FoundShown> {
  const recent = await recentOf(timeline, request);
  const world = await before(timeline, request);
  let last: RecordedEvent | undefined;
  for await (const batch of timeline.after(world, { until: request.until ?? NOW })) {
    for (const event of batch) {
      recent.add(event);
      const isTouched = touchedBy(event, world.view).some(
        (one) => formatEntity(one) === formatEntity(entity),
      );
      timeline.apply(world, event);
      if (isTouched) last = event;
    }
  }
  if (last === undefined) throw notFound(`no event touches ${formatEntity(entity)}`);
  const facts = factsOf(world, entity) ?? null;
  const shows = { kind: "facts", entity, facts } as const;
  return {
    shows,
    shownBy: eventRef(last),
    stretch: recent.stretch(),
    headline: `how ${formatEntity(entity)} came to be`,
  };
}

async function recentOf(timeline: Timeline, request: SliceRequest): Promise<RecentEvents> {
  const { mostConsidered = MOST_CONSIDERED } = request;
  return new RecentEvents(timeline, await before(timeline, request), mostConsidered);
}

function before(timeline: Timeline, { since }: SliceRequest): Promise<World> {
  return since === undefined ? timeline.beginning() : timeline.at(since);
}

function notFound(message: string): RefusedError {
  return new RefusedError(refusal("not_found", message));
}
