import { gunzipSync, gzipSync } from "node:zlib";
import { decodeEvent, type EncodedEvent, encodeEvent, type NewEvent, type RecordedEvent } from "#contracts";
import { FLEET_FOLD_VERSION, fleetHash } from "#fleet";
import { hostToJson } from "#hosts";
import { canonicalHash } from "#kernel";
import { ENTITY_KINDS, type Entity } from "../entity.ts";
import { factsOf } from "../facts.ts";
import { World } from "../world.ts";

/** Events between two checkpoints. */
export const CHECKPOINT_EVENTS = 100;

/** What everything up to some event folds to. */
export interface GoldenCheckpoint {
  /** Events until then. */
  readonly events: number;
  readonly fleet: string;
  /** By log: the host's own state, as its agent would have it. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly routes: string;
  /** All facts of all entities. */
  readonly facts: string;
}

/** A history as one release wrote it: messages, and what its fold made of them. */
export interface GoldenHistory {
  readonly release: string;
  readonly foldVersion: number;
  readonly messages: readonly GoldenMessage[];
  readonly checkpoints: readonly GoldenCheckpoint[];
}

/** A message of a log, in causal order across logs. */
export interface GoldenMessage extends Pick<EncodedEvent, "subject" | "body"> {
  readonly sequence: number;
}

/** Records a history as it would stand in logs today. */
export function recordGolden(release: string, events: readonly RecordedEvent[]): GoldenHistory {
  const messages = events.map(({ log, sequence, ...event }) => {
    const { subject, body } = encodeEvent(event as NewEvent, { log, sequence });
    return { subject, body, sequence };
  });
  return { release, foldVersion: FLEET_FOLD_VERSION, messages, checkpoints: checkpointsOf(messages) };
}

/** The events of recorded messages, of today's versions. Throws for one that cannot be read: that breaks I4. */
export function eventsOf(messages: readonly GoldenMessage[]): RecordedEvent[] {
  return messages.map(({ subject, body, sequence }, index) => {
    const message = { subject, header: () => undefined, body: new TextEncoder().encode(body), sequence };
    const decoded = decodeEvent(message, { deep: true });
    if (decoded.kind === "bad") throw new Error(`message ${index + 1}: ${decoded.reason}: ${decoded.detail}`);
    return decoded.event;
  });
}

/** What recorded messages fold to, at each checkpoint. `applied` sees the world after each event. */
export function checkpointsOf(
  messages: readonly GoldenMessage[],
  applied: (world: World, event: RecordedEvent) => void = () => undefined,
): GoldenCheckpoint[] {
  const world = new World();
  const checkpoints: GoldenCheckpoint[] = [];
  const entities = new Map<string, Entity>();
  for (const [index, event] of eventsOf(messages).entries()) {
    const unfolded = world.apply(event);
    if (unfolded !== undefined) throw new Error(`event ${index + 1} of ${messages.length}: ${unfolded}`);
    applied(world, event);
    noteEntities(event, entities);
    const isLast = index === messages.length - 1;
    if ((index + 1) % CHECKPOINT_EVENTS === 0 || isLast)
      checkpoints.push(checkpointOf(world, index + 1, entities));
  }
  return checkpoints;
}

/** The first checkpoint at which two folds are otherwise, and in what; undefined when there is none. */
export function firstDifference(
  before: readonly GoldenCheckpoint[],
  after: readonly GoldenCheckpoint[],
): string | undefined {
  for (const [index, wanted] of before.entries()) {
    const found = after[index];
    const parts = (["fleet", "hosts", "routes", "facts"] as const).filter(
      (part) => canonicalHash(wanted[part]) !== canonicalHash(found?.[part]),
    );
    if (parts.length > 0) return `after event ${wanted.events}: ${parts.join(", ")}`;
  }
  return before.length === after.length ? undefined : `${before.length} checkpoints, and ${after.length}`;
}

/** As a file: a line of what it is, a line for each message, a line for each checkpoint; compressed. */
export function packGolden({ messages, checkpoints, ...head }: GoldenHistory): Uint8Array {
  const lines = [head, ...messages, ...checkpoints].map((line) => JSON.stringify(line));
  return gzipSync(`${lines.join("\n")}\n`, { level: 9 });
}

/** Reads what `packGolden` wrote. */
export function unpackGolden(file: Uint8Array): GoldenHistory {
  const lines = gunzipSync(file).toString("utf8").trimEnd().split("\n");
  const [head, ...rest] = lines.map((line) => JSON.parse(line));
  return {
    ...head,
    messages: rest.filter((line) => "body" in line),
    checkpoints: rest.filter((line) => "fleet" in line),
  };
}

function checkpointOf(world: World, events: number, entities: ReadonlyMap<string, Entity>): GoldenCheckpoint {
  const { view, routes } = world;
  const hosts = [...view.logs].map(([log, { host }]) => [log, canonicalHash(hostToJson(host))] as const);
  const facts = [...entities].map(([key, entity]) => [key, factsOf(world, entity)] as const);
  return {
    events,
    fleet: fleetHash(view),
    hosts: Object.fromEntries(hosts),
    routes: canonicalHash(new Map(routes.all())),
    facts: canonicalHash(Object.fromEntries(facts)),
  };
}

const ID_OF = { snapshot: "snapshotId", reservation: "reservationId", app: "appName" } as const;

/** Whatever an event names: also what is gone by the next checkpoint. */
function noteEntities({ data }: RecordedEvent, entities: Map<string, Entity>): void {
  const named: Readonly<Record<string, unknown>> = data;
  for (const kind of ENTITY_KINDS) {
    const id = named[kind in ID_OF ? ID_OF[kind as keyof typeof ID_OF] : `${kind}Id`];
    if (typeof id === "string") entities.set(`${kind}/${id}`, { kind, id });
  }
}
