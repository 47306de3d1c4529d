import type { RecordedEvent } from "#contracts";
import { findSnapshot, type Moment, mergeByClock } from "#fleet";
import {
  type Change,
  changesOf,
  type Entity,
  type Fact,
  factsOf,
  hostIdOf,
  type Stretch,
  type Timeline,
  type World,
} from "#timeline";

/** One event of an entity, and what it changed of that entity. */
export interface Told {
  readonly event: RecordedEvent;
  readonly changes: readonly Change[];
  /** Why it could not be folded, if so (I10). */
  readonly unfolded?: string;
}

/**
 * What is to be read to tell of one entity, given the world at the end: everything that can change its facts, and as
 * little else as can be.
 */
function stretchesOf({ kind, id }: Entity, end: World): Stretch[] {
  const { host, attached_machine: attached } = factsOf(end, { kind, id }) ?? {};
  switch (kind) {
    case "machine":
      return [{ machineId: id }, ...openingsOf(host, end)];
    case "volume":
      // It is attached by the machine that mounts it.
      return [
        { volumeId: id },
        ...(attached === undefined ? [] : [{ machineId: String(attached) }]),
        ...openingsOf(host, end),
      ];
    case "snapshot": {
      const volumeId = findSnapshot(end.view, id)?.snapshot.volumeId ?? id;
      return [{ volumeId }, ...openingsOf(host, end)];
    }
    case "host":
      return [{ hostId: id }, controlOf(end)];
    case "app":
      return [controlOf(end)];
    case "reservation":
      return host === undefined ? [] : [{ hostId: String(host) }];
  }
}

/** Where a host went on in another log, the first events of its logs: they carry over what stood in the one before. */
function openingsOf(host: Fact | undefined, { view }: World): Stretch[] {
  const logs = [...view.logs].filter(([, { hostId }]) => hostId === host).map(([log]) => log);
  const isFirst = logs.length < 2 && ![...view.succeeded.values()].includes(String(host));
  if (host === undefined || isFirst) return [];
  const position = Object.fromEntries(logs.map((log) => [log, 1]));
  return [{ hostId: String(host), until: { kind: "position", position } }];
}

/** CONTROL is the one log that is no host's. */
function controlOf({ view, position }: World): Stretch {
  const control = Object.entries(position).filter(([log]) => !view.logs.has(log));
  return { until: { kind: "position", position: Object.fromEntries(control) } };
}

/**
 * The events of an entity in causal order, each with what it changed of that entity. Where its host went on in another
 * log, that log's first event is among them. `end`: the world at the end of what is told.
 */
export async function* retell(timeline: Timeline, entity: Entity, end: World): AsyncGenerator<Told> {
  const world = await timeline.history.beginning();
  if (entity.kind !== "host") {
    // Which of a host's logs counts is asked of CONTROL: known before, its registrations need not be read.
    for (const [id, host] of end.view.control.hosts) world.view.control.hosts.set(id, host);
  }
  const stretches = stretchesOf(entity, end).map((stretch) => ({ until: untilOf(end), ...stretch }));
  let facts = factsOf(world, entity);
  for await (const event of mergeByClock(stretches.map((one) => each(timeline.history.ordered(one))))) {
    if (event.sequence <= (world.position[event.log] ?? 0) || !mayTouch(event, entity)) continue;
    const unfolded = world.apply(event);
    const now = factsOf(world, entity);
    yield { event, changes: changesOf(entity, facts, now), ...(unfolded === undefined ? {} : { unfolded }) };
    facts = now;
  }
}

/** Exactly what the world at the end includes, although logs may have gone on. */
function untilOf({ position }: World): Moment {
  return { kind: "position", position };
}

/** CONTROL tells of much that is nothing to a host or an app. */
function mayTouch(event: RecordedEvent, { kind, id }: Entity): boolean {
  if (hostIdOf(event) !== undefined) return true;
  const data = event.data as { readonly hostId?: string; readonly appName?: string };
  if (kind === "host") return event.type === "HostRegistered" && data.hostId === id;
  return kind !== "app" || data.appName === id;
}

async function* each(batches: AsyncIterable<readonly RecordedEvent[]>): AsyncGenerator<RecordedEvent> {
  for await (const batch of batches) yield* batch;
}
