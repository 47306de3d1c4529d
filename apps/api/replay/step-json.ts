import type { RecordedEvent, ReplayChange, ReplayStep } from "#contracts";
import { wallMsOf } from "#kernel";
import { type Change, type Effect, formatEntity, hostIdOf, isFailure, summaryOf } from "#timeline";

/** A log that is replaced may change everything on its host: what a step shows is bounded. */
const MOST_CHANGES = 200;

/** An event, and what it did, as the console shows it. */
export function stepJson(event: RecordedEvent, effect: Effect): ReplayStep {
  const { id, clock, actor, correlationId, causationId } = event.header;
  const hostId = hostIdOf(event);
  return {
    ...{ id, log: event.log, sequence: event.sequence, atMs: wallMsOf(clock), clock, type: event.type },
    ...{ actor, correlationId, causationId, ...(hostId === undefined ? {} : { hostId }) },
    about: effect.touched.slice(0, MOST_CHANGES).map(formatEntity).sort(byTelling),
    summary: summaryOf(event),
    failure: isFailure(event),
    changes: shownChanges(effect.changes),
    ...(effect.unfolded === undefined ? {} : { unfolded: effect.unfolded }),
  };
}

function shownChanges(changes: readonly Change[]): ReplayChange[] {
  return changes
    .filter(({ path }) => !isConfig(path) || path === "config.image")
    .slice(0, MOST_CHANGES)
    .map(({ entity, ...change }) => ({ entity: formatEntity(entity), ...change }));
}

/** What a machine was asked to be stands in `entity`, not in what is sent for every machine or event. */
export function isConfig(path: string): boolean {
  return path.startsWith("config.");
}

/** A machine tells more than its host. */
const TELLING = ["machine", "volume", "snapshot", "app", "reservation", "host"];

function byTelling(a: string, b: string): number {
  return TELLING.indexOf(a.split("/", 1)[0]!) - TELLING.indexOf(b.split("/", 1)[0]!);
}
