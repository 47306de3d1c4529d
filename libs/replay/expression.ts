import type { HostLogView } from "#fleet";
import { RefusedError, refusal, wallMsOf } from "#kernel";
import {
  ENTITY_KINDS,
  type Entity,
  type EntityKind,
  type Fact,
  type Facts,
  factsOf,
  formatEntity,
  hostIdOf,
  type World,
} from "#timeline";
import { entitiesNamedBy } from "./event-ref.ts";
import { type ParsedExpression, parseExpression, type Reading } from "./expression-text.ts";
import { allEntities } from "./invariants/all-entities.ts";
import { Check, type Invariant, NOTHING, type Status, type Step } from "./invariants/invariant.ts";

type Logs = ReadonlyMap<string, HostLogView>;

/** The kind that an expression is about when it names several: the first of them. The others are found from it. */
const RELATED: Readonly<Record<EntityKind, readonly EntityKind[]>> = {
  machine: ["host", "app", "volume"],
  snapshot: ["volume", "host", "app"],
  volume: ["host", "app"],
  reservation: ["host"],
  host: [],
  app: [],
};

/** A fact that each entity of a kind has, and that is new when the entity is: what is absent is not told of as a change. */
const BORN_WITH: Readonly<Record<EntityKind, string>> = {
  machine: "app",
  snapshot: "host",
  volume: "app",
  reservation: "host",
  host: "region",
  app: "id",
};

/**
 * An invariant that somebody wrote: `machine.state != "failed"`. It is asked of every entity of the kind that it names,
 * whenever an event touches it; of an expression that names no kind, of every event. Throws a refusal that says where it
 * is wrong.
 */
export function expressionInvariant(text: string): Invariant {
  const parsed = parseExpression(text);
  const kinds = ENTITY_KINDS.filter((kind) => parsed.readings.some(({ of }) => of === kind));
  const about = (Object.keys(RELATED) as EntityKind[]).find((kind) => kinds.includes(kind));
  const stranger = kinds.find(
    (kind) => about !== undefined && kind !== about && !RELATED[about].includes(kind),
  );
  if (stranger !== undefined) {
    const message = `"${text}" names ${about} and ${stranger}: which of these belong together is not known`;
    throw new RefusedError(refusal("invalid", message));
  }
  const says = about === undefined ? "holds of every event" : `holds of every ${about}`;
  return {
    name: text,
    says,
    needsChanges: about !== undefined,
    check: () => (about === undefined ? new EventCheck(parsed) : new EntityCheck(parsed, about)),
  };
}

/** Of events alone. */
class EventCheck extends Check {
  readonly #parsed: ParsedExpression;

  constructor(parsed: ParsedExpression) {
    super();
    this.#parsed = parsed;
  }

  override after(step: Step): readonly Status[] {
    const [named] = entitiesNamedBy(step.event);
    const entity: Entity = named ?? { kind: "host", id: hostIdOf(step.event) ?? "control" };
    if (holds(this.#parsed, new Map(), step, step.world)) return NOTHING;
    return [{ entity, isAct: true, broken: said(this.#parsed, new Map(), step) }];
  }
}

/** Of one kind of entity, with what belongs to it. */
class EntityCheck extends Check {
  readonly #parsed: ParsedExpression;
  readonly #about: EntityKind;
  readonly #isOfEvents: boolean;
  readonly #others: readonly EntityKind[];

  constructor(parsed: ParsedExpression, about: EntityKind) {
    super();
    this.#parsed = parsed;
    this.#about = about;
    this.#isOfEvents = parsed.readings.some(({ of }) => of === "event" || of === "now");
    this.#others = ENTITY_KINDS.filter(
      (kind) => kind !== about && parsed.readings.some(({ of }) => of === kind),
    );
  }

  override begin(world: World, logs: Logs): readonly Status[] {
    if (this.#parsed.readings.some(({ of }) => of === "event")) return NOTHING;
    return [...allEntities(this.#about, world, logs)]
      .map((entity) => this.#look(entity, world))
      .filter(({ broken }) => broken !== undefined);
  }

  override after(step: Step): readonly Status[] {
    const { effect, world } = step;
    const due = new Map<string, Entity>();
    for (const entity of effect.touched) {
      if (entity.kind !== this.#about) continue;
      if (this.#isOfEvents || this.#isChanged(entity, step)) due.set(formatEntity(entity), entity);
    }
    for (const other of effect.touched) {
      if (!this.#others.includes(other.kind) || !this.#isChanged(other, step)) continue;
      for (const entity of allEntities(this.#about, world, step.logs)) {
        const facts = factsOf(world, entity);
        if (facts !== undefined && belongsTo(entity, facts, other.kind) === other.id)
          due.set(formatEntity(entity), entity);
      }
    }
    return due.size === 0 ? NOTHING : [...due.values()].map((entity) => this.#look(entity, world, step));
  }

  #isChanged({ kind, id }: Entity, { effect }: Step): boolean {
    return effect.changes.some(
      (change) =>
        change.entity.id === id &&
        change.entity.kind === kind &&
        (change.path === BORN_WITH[kind] ||
          this.#parsed.readings.some((reading) => reading.of === kind && isOf(reading, change.path))),
    );
  }

  #look(entity: Entity, world: World, step?: Step): Status {
    const facts = factsOf(world, entity);
    if (facts === undefined) return { entity };
    const known = new Map<EntityKind, Facts>([[entity.kind, withId(entity, facts)]]);
    for (const kind of this.#others) {
      const id = belongsTo(entity, facts, kind);
      const related = id === undefined ? undefined : factsOf(world, { kind, id });
      // What belongs to nobody is not asked of.
      if (id === undefined || related === undefined) return { entity };
      known.set(kind, withId({ kind, id }, related));
    }
    if (holds(this.#parsed, known, step, world, entity)) return { entity };
    return { entity, broken: said(this.#parsed, known, step) };
  }
}

/** The id of what an entity belongs to, of another kind. */
function belongsTo({ kind: about }: Entity, facts: Facts, kind: EntityKind): string | undefined {
  const path = about === "machine" && kind === "volume" ? "config.mounts.0.volume" : kind;
  const id = facts[path];
  return id === undefined ? undefined : String(id);
}

function withId({ kind, id }: Entity, facts: Facts): Facts {
  return kind === "app" ? { ...facts, name: id } : { ...facts, id };
}

/** Whether a change of a path may change a reading. */
function isOf({ path, isPresence }: Reading, changed: string): boolean {
  return changed === path || (isPresence && changed.startsWith(`${path}.`));
}

function holds(
  { text, readings, holds: evaluate }: ParsedExpression,
  known: ReadonlyMap<EntityKind, Facts>,
  step: Step | undefined,
  world: World,
  entity?: Entity,
): boolean {
  const values = readings.map((reading) => {
    if (reading.of === "now") return BigInt(world.nowMs);
    const facts = reading.of === "event" ? eventFacts(step) : (known.get(reading.of) ?? {});
    return readFrom(reading, facts);
  });
  try {
    return evaluate(values) === true;
  } catch (thrown) {
    const { summary = String(thrown) } = thrown as { readonly summary?: string };
    const of = entity === undefined ? `event ${step?.event.header.id}` : formatEntity(entity);
    throw new RefusedError(refusal("invalid", `"${text}" cannot be asked of ${of}: ${summary}`));
  }
}

/** What is not there is "", 0 or false. */
function readFrom({ path, type, isPresence }: Reading, facts: Facts): string | bigint | boolean {
  const fact = facts[path];
  if (isPresence) return fact !== undefined || Object.keys(facts).some((each) => each.startsWith(`${path}.`));
  switch (type) {
    case "int":
      return typeof fact === "number" ? BigInt(Math.trunc(fact)) : 0n;
    case "bool":
      return fact === true;
    case "string":
      return fact === undefined ? "" : String(fact);
  }
}

function eventFacts(step: Step | undefined): Facts {
  if (step === undefined) return {};
  const { type, log, sequence, header } = step.event;
  const { id, actor, clock, correlationId: correlation_id, causationId: causation_id } = header;
  const host = hostIdOf(step.event);
  const facts: Record<string, Fact> = { id, type, log, sequence, actor, correlation_id, causation_id };
  return { ...facts, at_ms: wallMsOf(clock), ...(host === undefined ? {} : { host }) };
}

/** The facts that it read, as they are: "machine.state is failed". */
function said({ readings }: ParsedExpression, known: ReadonlyMap<EntityKind, Facts>, step?: Step): string {
  const parts = readings.flatMap((reading) => {
    const { of, path, isPresence } = reading;
    if (of === "now") return [];
    const facts = of === "event" ? eventFacts(step) : (known.get(of) ?? {});
    const fact = facts[path];
    if (isPresence) return [`${of}.${path} is ${readFrom(reading, facts) ? "there" : "not there"}`];
    return [`${of}.${path} is ${fact === undefined ? "absent" : String(fact)}`];
  });
  return [...new Set(parts)].join(", ") || "it does not hold";
}
