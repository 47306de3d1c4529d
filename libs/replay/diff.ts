import type { Moment } from "#fleet";
import type { Position } from "#kernel";
import {
  applyAndCompare,
  type Entity,
  type Facts,
  factsOf,
  formatEntity,
  mayReplaceLog,
  type Timeline,
  touchedBy,
  type World,
} from "#timeline";
import { type Changed, Changes } from "./diff-changes.ts";
import type { Diff, DiffScope, EntityDiff, ToldChange } from "./diff-entity.ts";
import { type Difference, titleOf } from "./diff-title.ts";

/**
 * What is otherwise at `to` than at `from`, each change with the event that made it so. Given the later moment first, the
 * two are swapped. Two moments of which neither comes before the other (a host was cut off) are compared by way of what they
 * have in common. That a host forgets a machine destroyed long ago is no change.
 */
export async function diff(
  timeline: Timeline,
  from: Moment,
  to: Moment,
  scope: DiffScope = {},
): Promise<Diff> {
  const ends = [await timeline.at(from), await timeline.at(to)] as const;
  const swapped =
    isWithin(ends[1].position, ends[0].position) && !isWithin(ends[0].position, ends[1].position);
  const [start, end] = swapped ? [ends[1], ends[0]] : ends;
  const [first, last] = [endOf(start), endOf(end)];
  const changes = await changesBetween(timeline, start, end, scope);
  const told = [...changes.all].flatMap((changed) => entityDiff(changed, end, scope) ?? []);
  const entities = told.sort((a, b) => rank(a) - rank(b) || firstMs(a) - firstMs(b));
  return { from: first, to: last, swapped, entities };
}

function endOf({ position, nowMs }: World) {
  return { position: { ...position }, atMs: nowMs };
}

/** Whether everything up to `inner` is also up to `outer`. */
function isWithin(inner: Position, outer: Position): boolean {
  return Object.entries(inner).every(([log, sequence]) => sequence <= (outer[log] ?? 0));
}

async function changesBetween(
  timeline: Timeline,
  start: World,
  end: World,
  scope: DiffScope,
): Promise<Changes> {
  const [from, to] = [{ ...start.position }, { ...end.position }];
  if (isWithin(from, to)) return walk(timeline, start, to, scope);
  const position = Object.fromEntries(
    Object.entries(from).map(([log, sequence]) => [log, Math.min(sequence, to[log] ?? 0)]),
  );
  const common = () => timeline.at({ kind: "position", position });
  const back = await walk(timeline, await common(), from, scope);
  return back.backThen(await walk(timeline, await common(), to, scope));
}

async function walk(timeline: Timeline, world: World, to: Position, scope: DiffScope): Promise<Changes> {
  const changes = new Changes(scope.all === true);
  for await (const batch of timeline.after(world, { until: { kind: "position", position: to } })) {
    for (const event of batch) {
      const mayMatter =
        mayReplaceLog(event) || touchedBy(event, world.view).some((entity) => mayBeMeant(entity, scope));
      if (mayMatter) changes.note(event, applyAndCompare(world, event).changes);
      else world.apply(event);
    }
  }
  return changes;
}

/** What certainly is not meant need not be compared. */
function mayBeMeant({ kind, id }: Entity, { entity, kinds }: DiffScope): boolean {
  if (kinds !== undefined && !kinds.includes(kind)) return false;
  if (entity === undefined || entity.kind === "app" || entity.kind === "host") return true;
  return entity.kind === kind && entity.id === id;
}

function isMeant(difference: Difference, scope: DiffScope): boolean {
  const { entity } = scope;
  if (!mayBeMeant(difference.entity, scope)) return false;
  if (entity === undefined || formatEntity(entity) === formatEntity(difference.entity)) return true;
  // What belongs to an app or is on a host names it under that path.
  return difference.before[entity.kind] === entity.id || difference.after[entity.kind] === entity.id;
}

function entityDiff(changed: Changed, end: World, scope: DiffScope): EntityDiff | undefined {
  const { entity, net, every, routeGap } = changed;
  const changes = [...net.values()].filter(({ before, after }) => before !== after);
  const after = factsOf(end, entity) ?? {};
  const before = factsBefore(after, changes);
  const isGone = Object.keys(after).length === 0 || ENDED.has(String(after.state));
  const isNew = Object.keys(before).length === 0;
  const wasGone = ENDED.has(String(before.state));
  const hasMoved = !isNew && before.host !== after.host;
  const routeGapMs = routeGap.totalMs(hasMoved && !isGone ? end.nowMs : undefined);
  const kind = isNew ? "appeared" : isGone && !wasGone ? "gone" : "changed";
  const difference: Difference = { entity, kind, isGone, before, after, changes, routeGapMs };
  const shown = scope.all === true ? every : changes.sort(byPath);
  if (shown.length === 0 || !isMeant(difference, scope)) return undefined;
  return {
    ...{ entity, kind, title: titleOf(difference), changes: shown },
    ...(routeGapMs > 0 ? { routeGapMs } : {}),
  };
}

/** States that nothing leads out of: the entity is remembered, and is no more. */
const ENDED: ReadonlySet<string> = new Set(["destroyed", "migrated", "replaced"]);

function factsBefore(after: Facts, changes: readonly ToldChange[]): Facts {
  const facts = { ...after };
  for (const { path, before } of changes) {
    if (before === undefined) delete facts[path];
    else facts[path] = before;
  }
  return facts;
}

function byPath(a: ToldChange, b: ToldChange): number {
  return a.path < b.path ? -1 : 1;
}

const KINDS = ["machine", "volume", "snapshot", "app", "host", "reservation"];

function rank({ entity }: EntityDiff): number {
  return KINDS.indexOf(entity.kind);
}

function firstMs({ changes }: EntityDiff): number {
  return Math.min(...changes.map(({ event }) => event.atMs));
}
