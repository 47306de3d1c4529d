import type { RecordedEvent } from "#contracts";
import type { Moment } from "#fleet";
import { type Entity, type Fact, factsOf, type Timeline, type World } from "#timeline";
import { retell } from "./blame-history.ts";
import { type EventRef, eventRef } from "./event-ref.ts";

/** A fact, and the event that set it last. */
export interface BlamedFact {
  readonly path: string;
  readonly value: Fact;
  /** Absent when the event is in no log any more. */
  readonly event?: EventRef;
  /** What command it was decided from; absent where the event does not say. */
  readonly command?: string;
  /** The log in which it was set, and which is not there any more: the event is the one that carried it over. */
  readonly carriedOver?: string;
}

/**
 * Who set each fact of an entity last, as things stood at a moment: those under `path`, or all. Empty when there is no such
 * entity, or no such fact. Reads that entity's events alone, and of its host's logs where one was gone on with in another.
 */
export async function blame(
  timeline: Timeline,
  entity: Entity,
  at: Moment,
  path = "",
): Promise<BlamedFact[]> {
  const end = await timeline.at(at);
  const facts = factsOf(end, entity);
  if (facts === undefined) return [];
  const setters = await settersOf(timeline, entity, end);
  return Object.keys(facts)
    .filter((each) => path === "" || each === path || each.startsWith(`${path}.`))
    .sort()
    .map((each) => blamed(each, facts[each]!, setters));
}

/** By path the last event that changed it. */
type Setters = ReadonlyMap<string, { readonly event: RecordedEvent; readonly after: Fact | undefined }>;

async function settersOf(timeline: Timeline, entity: Entity, end: World): Promise<Setters> {
  const setters = new Map<string, { readonly event: RecordedEvent; readonly after: Fact | undefined }>();
  for await (const { event, changes } of retell(timeline, entity, end)) {
    for (const { path, after } of changes) setters.set(path, { event, after });
  }
  return setters;
}

function blamed(path: string, value: Fact, setters: Setters): BlamedFact {
  const { event, after } = setters.get(path) ?? {};
  // What it was set to otherwise is in no log that is there.
  if (event === undefined || after !== value) return { path, value };
  const command = event.decision?.command;
  const previous = event.type === "HostLogOpened" && path !== "log" ? event.data.previous?.logId : undefined;
  return {
    ...{ path, value, event: eventRef(event) },
    ...(command === undefined ? {} : { command }),
    ...(previous === undefined ? {} : { carriedOver: previous }),
  };
}
