import type { RecordedEvent } from "#contracts";
import { MAX_DRIFT_MS, wallMsOf } from "#kernel";
import { type Entity, hostIdOf } from "#timeline";
import { entitiesNamedBy } from "../event-ref.ts";
import { Check, type Invariant, NOTHING, type Status, type Step } from "./invariant.ts";
import { actRule } from "./rules.ts";

/** Whose log an event stands in; of CONTROL, what the event is about. */
function ownerOf(event: RecordedEvent): Entity {
  const id = hostIdOf(event);
  if (id !== undefined) return { kind: "host", id };
  return entitiesNamedBy(event)[0] ?? { kind: "host", id: "control" };
}

export const logWithoutGaps = actRule<number>({
  name: "log-without-gaps",
  says: "each log's events follow each other without a gap: what is missing is lost, or cannot be read (F06, F18)",
  needsWhole: true,
  before: ({ position }, { log }) => position[log],
  broken(last, { event }) {
    if (event.sequence === last + 1) return undefined;
    const { log, sequence } = event;
    const missing = sequence === last + 2 ? `${last + 1} is` : `${last + 1} to ${sequence - 1} are`;
    const message =
      sequence <= last
        ? `${log}:${sequence} comes after ${log}:${last}`
        : `of log ${log}, ${missing} missing`;
    return { entity: ownerOf(event), message };
  },
});

/** Of so many causes the time is remembered, and of so many that were named before they came. */
const REMEMBERED = 10_000;

/** F20: order comes from sequences. Still, clocks that differ by more than is put up with make every reading doubtful. */
class ClockSane extends Check {
  readonly #lastOfLog = new Map<string, number>();
  readonly #seen = new Set<string>();
  /** Causes that have not come yet: when their first effect was. */
  readonly #awaited = new Map<string, { readonly atMs: number; readonly type: string }>();

  override after({ event }: Step): readonly Status[] {
    const { id, clock, causationId } = event.header;
    const atMs = wallMsOf(clock);
    const backMs = (this.#lastOfLog.get(event.log) ?? 0) - atMs;
    this.#lastOfLog.set(event.log, atMs);
    const effect = this.#awaited.get(id);
    this.#awaited.delete(id);
    remember(this.#seen, id);
    if (!this.#seen.has(causationId)) {
      this.#awaited.set(causationId, this.#awaited.get(causationId) ?? { atMs, type: event.type });
      forgetFirst(this.#awaited);
    }
    const entity = ownerOf(event);
    if (backMs > MAX_DRIFT_MS) {
      return [
        { entity, isAct: true, broken: `its clock is ${backMs} ms before that of the event before it` },
      ];
    }
    const aheadMs = effect === undefined ? 0 : atMs - effect.atMs;
    if (aheadMs <= MAX_DRIFT_MS) return NOTHING;
    return [
      {
        entity,
        isAct: true,
        broken: `its clock is ${aheadMs} ms after that of ${effect?.type}, which it caused`,
      },
    ];
  }
}

function remember(seen: Set<string>, id: string): void {
  seen.add(id);
  if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as string);
}

function forgetFirst<V>(map: Map<string, V>): void {
  if (map.size > REMEMBERED) map.delete(map.keys().next().value as string);
}

export const clockSane: Invariant = {
  name: "clock-sane",
  says: "clocks agree to within a minute: none goes back in its log, and no cause is later than its effect (F20)",
  check: () => new ClockSane(),
};
