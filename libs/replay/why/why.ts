import type { RequestTrace } from "#contracts";
import type { Moment } from "#fleet";
import { RefusedError, refusal } from "#kernel";
import { type Entity, factsOf, parseEntity, summaryOf, type Timeline, type World } from "#timeline";
import { entitiesNamed, oneNamed } from "../find-entity.ts";
import { causesOf } from "./act-cause.ts";
import { actsOf, begunBy, operationIdOf } from "./acts.ts";
import type { Explanation, FindTrace, WhyQuestion } from "./explanation.ts";
import { type Located, locate } from "./locate.ts";
import { nowAt, sceneOf } from "./scene.ts";
import { waitsOf } from "./waiting.ts";
import { whyHost } from "./why-host.ts";
import { whyRequest } from "./why-request.ts";
import { rootsOf, whyThing } from "./why-thing.ts";

/** What somebody asks about, before it is known what that is: `WhyQuestion`, or its id or name alone. */
export type WhyText = Pick<WhyQuestion, "id"> & { readonly kind?: WhyQuestion["kind"] | undefined };

/**
 * The causes of something, as a tree down from the request or policy that it began with, and what it waits for, as things
 * stood at a moment. `nowMs`: epoch milliseconds, for a moment that is now. Throws a refusal when nothing is told of it.
 */
export async function why(
  timeline: Timeline,
  question: WhyText,
  at: Moment,
  findTrace: FindTrace,
  nowMs: number,
): Promise<Explanation> {
  const world = await timeline.at(at);
  const asked: Asked = { timeline, world, nowMs: nowAt(at, world, nowMs), findTrace };
  const { kind, id } = question;
  switch (kind) {
    case "machine":
    case "volume":
    case "host":
      return ofEntity(asked, { kind, id });
    case "request":
    case "operation":
    case "event":
      return (await ofId(asked, id, kind)) ?? nothingOf(kind, id);
    case undefined:
      return ofText(asked, id);
  }
}

interface Asked {
  readonly timeline: Timeline;
  readonly world: World;
  readonly nowMs: number;
  readonly findTrace: FindTrace;
}

const KINDS = ["machine", "volume", "host"] as const;
const ID_KINDS = ["request", "operation", "event"] as const;
const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const MACHINE_ID = /^[0-9a-f]{14}$/;

/** Names and ids of what there is come first; then ids of what happened; last what is not remembered any more. */
async function ofText(asked: Asked, text: string): Promise<Explanation> {
  const [kind, id] = text.split("/", 2);
  const named = ID_KINDS.find((each) => each === kind);
  if (named !== undefined && id !== undefined) return (await ofId(asked, id, named)) ?? nothingOf(named, id);
  if (entitiesNamed(asked.world, text, KINDS).length > 0) {
    return ofEntity(asked, oneNamed(asked.world, text, KINDS));
  }
  const found = ULID.test(text) ? await ofId(asked, text) : undefined;
  if (found !== undefined) return found;
  const entity = parseEntity(text) ?? (MACHINE_ID.test(text) ? { kind: "machine", id: text } : undefined);
  if (entity?.kind === "machine" || entity?.kind === "volume") return ofEntity(asked, entity as Entity);
  return nothingOf("machine, volume, host, request, operation or event", text);
}

async function ofEntity({ timeline, world, nowMs }: Asked, entity: Entity): Promise<Explanation> {
  if (entity.kind === "host") {
    if (factsOf(world, entity) === undefined) return nothingOf("host", entity.id);
    return whyHost(timeline, entity.id, world, nowMs);
  }
  const scene = await sceneOf(timeline, entity, world, nowMs);
  return scene.told.length === 0 ? nothingOf(entity.kind, entity.id) : whyThing(scene, entity);
}

async function ofId(
  asked: Asked,
  id: string,
  kind?: (typeof ID_KINDS)[number],
): Promise<Explanation | undefined> {
  const trace = kind === undefined || kind === "request" ? await asked.findTrace(id) : undefined;
  if (trace !== undefined) return whyRequest(id, trace, await concernedBy(asked, machinesIn(trace)));
  const located = await locate(asked.timeline, id, asked.world);
  if (located === undefined) return undefined;
  if (located.kind === "request") return whyRequest(id, undefined, await concernedBy(asked, located.about));
  return whyLocated(asked, located);
}

function machinesIn({ stages }: RequestTrace): Entity[] {
  const ids = new Set(stages.flatMap(({ machineId }) => machineId ?? []));
  return [...ids].map((id) => ({ kind: "machine", id }));
}

async function concernedBy({ timeline, world, nowMs }: Asked, entities: readonly Entity[]) {
  const concerned = [];
  for (const entity of entities) {
    const scene = await sceneOf(timeline, entity, world, nowMs);
    concerned.push({ entity, scene, acts: actsOf(scene.told) });
  }
  return concerned;
}

/** An operation or an event, in the tree of what it came of and what came of it. */
async function whyLocated(
  { timeline, world, nowMs }: Asked,
  { kind, event, about }: Located,
): Promise<Explanation> {
  const [entity] = about;
  const words = `${event.type} ${summaryOf(event)}`.trimEnd();
  if (entity === undefined) {
    return {
      headline: `event ${event.header.id}: ${words}`,
      causes: causesOf(actsOf([{ event, changes: [] }])),
      stuck: [],
    };
  }
  const scene = await sceneOf(timeline, entity, world, nowMs);
  const acts = actsOf(scene.told);
  const operationId = begunBy(event)?.id ?? operationIdOf(event);
  const act = acts.find(({ told, id }) =>
    kind === "operation" ? id === operationId : told.some((each) => each.event.header.id === event.header.id),
  );
  const what = kind === "operation" ? `operation ${operationId}` : `event ${event.header.id}: ${words}`;
  const waits = waitsOf(scene, entity);
  return {
    headline: `${what} of ${entity.kind} ${entity.id}`,
    causes: causesOf(rootsOf(acts, [act])),
    stuck: waits,
  };
}

function nothingOf(kind: string, id: string): never {
  const advice =
    kind === "request"
      ? "either it passed without waiting, or it is not over yet, or its trace has gone (they are kept for 7 days), or no router of this cluster had it"
      : "use an id or a name as it was at that moment (--at), or kind/ID";
  throw new RefusedError(refusal("not_found", `nothing is told of ${kind} ${id}: ${advice}`));
}
