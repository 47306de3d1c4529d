import type { ReplayAt, ReplayChange, ReplayEntity, ReplayStep } from "#contracts";
import { GONE, type LiveFacts, splitEntity } from "./facts.ts";

/**
 * The plane at the moment shown, kept up to date by steps in either direction: each change says what was before and
 * after, so no frame asks for a world. Changed in place; `version` tells that something is otherwise, `membership` that
 * something came, went or moved.
 */
export class Scene {
  readonly #kinds = new Map<string, Map<string, LiveFacts>>();
  /** What the last steps changed, and in which version: the map lets it shine for a moment. */
  readonly touched = new Map<ReplayEntity, number>();
  /** What came back by going back in time: what steps do not tell of it is not known, as worlds leave out what is gone. */
  readonly incomplete = new Set<ReplayEntity>();
  version = 0;
  membership = 0;

  /** Everything of a kind, by id. */
  all(kind: string): ReadonlyMap<string, LiveFacts> {
    return this.#kind(kind);
  }

  facts(entity: ReplayEntity): LiveFacts | undefined {
    const { kind, id } = splitEntity(entity);
    return this.#kinds.get(kind)?.get(id);
  }

  /** Puts a world in place of what was. */
  load(at: Pick<ReplayAt, "hosts" | "machines" | "volumes" | "apps">): void {
    this.#kinds.clear();
    this.touched.clear();
    this.incomplete.clear();
    const kinds = { host: at.hosts, machine: at.machines, volume: at.volumes, app: at.apps };
    for (const [kind, things] of Object.entries(kinds)) {
      const known = this.#kind(kind);
      for (const { id, facts } of things) known.set(id, { ...facts });
    }
    this.version += 1;
    this.membership += 1;
  }

  /** One event later. */
  apply(step: ReplayStep): void {
    this.version += 1;
    for (const change of step.changes) this.#set(change, change.after);
  }

  /** One event earlier. */
  revert(step: ReplayStep): void {
    this.version += 1;
    for (let place = step.changes.length - 1; place >= 0; place -= 1) {
      const change = step.changes[place]!;
      if (change.before !== undefined && this.facts(change.entity) === undefined) {
        this.incomplete.add(change.entity);
      }
      this.#set(change, change.before);
    }
  }

  /** Fills in what a world knows of what is incomplete. */
  complete(at: Pick<ReplayAt, "machines" | "volumes">): void {
    for (const [kind, things] of [["machine", at.machines] as const, ["volume", at.volumes] as const]) {
      for (const { id, facts } of things) {
        const known = this.#kind(kind).get(id);
        if (known === undefined || !this.incomplete.has(`${kind}/${id}`)) continue;
        for (const [path, fact] of Object.entries(facts)) known[path] ??= fact;
      }
    }
    this.incomplete.clear();
    this.version += 1;
    this.membership += 1;
  }

  #set({ entity, path, before, after }: ReplayChange, fact: ReplayChange["after"]): void {
    const { kind, id } = splitEntity(entity);
    const known = this.#kind(kind);
    let facts = known.get(id);
    this.touched.set(entity, this.version);
    if (facts === undefined) {
      if (fact === undefined) return;
      facts = {};
      known.set(id, facts);
      this.membership += 1;
    }
    if (fact !== undefined) facts[path] = fact;
    else delete facts[path];
    if (path === "host" || path === "ipv4" || path === "state") this.#noteMove(path, [before, after]);
    if (fact === undefined && isEmpty(facts)) {
      known.delete(id);
      this.membership += 1;
    }
  }

  /** Most changes of state leave a machine where it is on the map; only going for good does not, nor its reverse. */
  #noteMove(path: string, ends: readonly ReplayChange["after"][]): void {
    if (path !== "state" || ends.some((end) => GONE.has(String(end)))) this.membership += 1;
  }

  #kind(kind: string): Map<string, LiveFacts> {
    let known = this.#kinds.get(kind);
    if (known === undefined) {
      known = new Map();
      this.#kinds.set(kind, known);
    }
    return known;
  }
}

function isEmpty(facts: LiveFacts): boolean {
  for (const _ in facts) return false;
  return true;
}
