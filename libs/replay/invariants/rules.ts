import type { RecordedEvent } from "#contracts";
import type { HostLogView } from "#fleet";
import { type Entity, formatEntity, type World } from "#timeline";
import { Check, type Invariant, NOTHING, type Status, type Step } from "./invariant.ts";

type Logs = ReadonlyMap<string, HostLogView>;

/** Something that holds of entities as they are: it breaks, and may heal. */
export interface StateRule {
  readonly name: string;
  readonly says: string;
  /** All that it speaks of. */
  all(world: World, logs: Logs): Iterable<Entity>;
  /** Of what an event touched, what it may have broken. What is broken is looked at again whenever it is touched. */
  concerned(step: Step): readonly Entity[];
  /** What is wrong with one; undefined when nothing is. */
  broken(entity: Entity, world: World, logs: Logs): string | undefined;
}

export function stateRule(rule: StateRule): Invariant {
  return { name: rule.name, says: rule.says, check: () => new StateCheck(rule) };
}

class StateCheck extends Check {
  readonly #rule: StateRule;
  readonly #open = new Set<string>();

  constructor(rule: StateRule) {
    super();
    this.#rule = rule;
  }

  override begin(world: World, logs: Logs): Status[] {
    return [...this.#rule.all(world, logs)].flatMap((entity) => {
      const status = this.#look(entity, world, logs);
      return status.broken === undefined ? [] : [status];
    });
  }

  override after(step: Step): readonly Status[] {
    const { world, logs } = step;
    const concerned = this.#rule.concerned(step);
    if (this.#open.size === 0) {
      return concerned.length === 0 ? NOTHING : concerned.map((entity) => this.#look(entity, world, logs));
    }
    const due = new Map(concerned.map((entity) => [formatEntity(entity), entity]));
    for (const entity of step.effect.touched) {
      const key = formatEntity(entity);
      if (this.#open.has(key)) due.set(key, entity);
    }
    return [...due.values()].map((entity) => this.#look(entity, world, logs));
  }

  #look(entity: Entity, world: World, logs: Logs): Status {
    const broken = this.#rule.broken(entity, world, logs);
    if (broken === undefined) {
      this.#open.delete(formatEntity(entity));
      return { entity };
    }
    this.#open.add(formatEntity(entity));
    return { entity, broken };
  }
}

/** Something that no event may do: done is done, and nothing heals it. `K`: what has to be known from before the event. */
export interface ActRule<K> {
  readonly name: string;
  readonly says: string;
  readonly needsWhole?: boolean;
  /** Undefined: this event is none that the rule speaks of. */
  before(world: World, event: RecordedEvent): K | undefined;
  /** What is wrong with it, of which entity. Not asked of an event that could not be folded. */
  broken(known: K, step: Step): { readonly entity: Entity; readonly message: string } | undefined;
}

export function actRule<K>(rule: ActRule<K>): Invariant {
  const { name, says, needsWhole = false } = rule;
  return { name, says, needsWhole, check: () => new ActCheck(rule) };
}

class ActCheck<K> extends Check {
  readonly #rule: ActRule<K>;
  #known: K | undefined;

  constructor(rule: ActRule<K>) {
    super();
    this.#rule = rule;
  }

  override before(world: World, event: RecordedEvent): void {
    this.#known = this.#rule.before(world, event);
  }

  override after(step: Step): readonly Status[] {
    if (this.#known === undefined || step.effect.unfolded !== undefined) return NOTHING;
    const found = this.#rule.broken(this.#known, step);
    return found === undefined ? NOTHING : [{ entity: found.entity, broken: found.message, isAct: true }];
  }
}
