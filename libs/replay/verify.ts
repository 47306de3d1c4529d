import type { RecordedEvent } from "#contracts";
import type { Moment } from "#fleet";
import type { Position } from "#kernel";
import { type Entity, formatEntity, type Timeline, type World } from "#timeline";
import type { Invariant } from "./invariants/invariant.ts";
import { INVARIANTS } from "./invariants/library.ts";
import { type Standing, type Violation, Watch } from "./invariants/watch.ts";
import { isAbout, isOf, Sight } from "./scope.ts";

/** What is checked, and who hears of it. */
export interface VerifyOptions {
  /** Of the library those that are always checked, where none is named. */
  readonly invariants?: readonly Invariant[];
  /** What came before is taken for granted: broken there is told of as such. From the beginning where nothing is said. */
  readonly since?: Moment;
  readonly until?: Moment;
  /** What is about this alone. */
  readonly scope?: Entity;
  /** Hears of a violation when it is found, and once more when it heals. */
  readonly onViolation?: (violation: Violation) => void;
  /** Is called now and then with the events read so far, and where they end. */
  readonly onProgress?: (events: number, world: World) => void;
  /** Gives what happens after the end, for as long as it goes on: each log's events in order, logs as they come. */
  readonly live?: (position: Position) => AsyncIterable<RecordedEvent>;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** What became of one invariant. */
export interface InvariantVerdict {
  readonly invariant: string;
  readonly says: string;
  /** Broken where the look began. */
  readonly standing: readonly Standing[];
  /** How many times it was broken. */
  readonly violations: number;
  /** Of these, how many did not heal. What an event did, and no state shows, counts here. */
  readonly unhealed: number;
  /** Of these, how many show in the state where the look ended. */
  readonly now: number;
  readonly first?: Violation;
}

export interface Verdict {
  readonly invariants: readonly InvariantVerdict[];
  /** Names of those that were not asked: of a part of history they cannot tell. */
  readonly skipped: readonly string[];
  /** Events were left out of that history on purpose: what is broken may be so for want of them. */
  readonly isPart: boolean;
  /** Found in the order of time, the first ones in full. */
  readonly violations: readonly Violation[];
  /** How many events were read. */
  readonly events: number;
  readonly from: VerdictEnd;
  readonly to: VerdictEnd;
}

export interface VerdictEnd {
  readonly position: Position;
  /** Epoch milliseconds of the latest event included; 0 before the first. */
  readonly atMs: number;
}

/** Of more than these the verdict holds the number alone. */
const MOST_VIOLATIONS = 1_000;
const PROGRESS_EVERY = 10_000;

/** Checks a stretch of history. Memory does not grow with its length. */
export async function verify(timeline: Timeline, options: VerifyOptions = {}): Promise<Verdict> {
  const { since, until, scope, signal, live } = options;
  const { isPart } = timeline.history;
  const wanted = options.invariants ?? INVARIANTS;
  const invariants = wanted.filter(({ needsWhole = false }) => !(isPart && needsWhole));
  const skipped = wanted.filter((one) => !invariants.includes(one)).map(({ name }) => name);
  const world = await worldAt(timeline, since);
  const from = endOf(world);
  const watch = new Watch(world, invariants, { tellsChanges: false });
  const tally = new Tally(
    invariants,
    watch.standing.filter((one) => scope === undefined || isOf(scope, one)),
  );
  const sight = new Sight(scope);
  let events = 0;
  const take = (event: RecordedEvent) => {
    const watched = watch.apply(event);
    events += 1;
    if (events % PROGRESS_EVERY === 0) options.onProgress?.(events, world);
    sight.note(watched.effect);
    for (const violation of [...watched.broken.map((found) => found.violation), ...watched.healed]) {
      if (scope !== undefined && !isAbout(scope, violation, world)) continue;
      tally.count(violation, watch.isOpen(violation));
      options.onViolation?.(violation);
    }
  };
  for await (const batch of timeline.after(world, until === undefined ? {} : { until })) {
    if (signal?.aborted) break;
    for (const event of batch) take(event);
  }
  if (live !== undefined && signal?.aborted !== true) {
    for await (const event of live(world.position)) {
      // What the logs gave already may come once more.
      if (event.sequence > (world.position[event.log] ?? 0)) take(event);
    }
  }
  sight.assertSeen();
  return { ...tally.result(), skipped, isPart, events, from, to: endOf(world) };
}

/** The world in which a look begins: the caller's own. */
export async function worldAt(timeline: Timeline, since: Moment | undefined): Promise<World> {
  return since === undefined ? timeline.beginning() : timeline.at(since);
}

export function endOf({ position, nowMs: atMs }: World): VerdictEnd {
  return { position: { ...position }, atMs };
}

/** Counts what is found, and keeps the first ones. */
class Tally {
  readonly #verdicts = new Map<string, { -readonly [K in keyof InvariantVerdict]: InvariantVerdict[K] }>();
  /** By invariant and event. */
  readonly #kept = new Map<string, Violation>();

  constructor(invariants: readonly Invariant[], standing: readonly Standing[]) {
    for (const { name: invariant, says } of invariants) {
      const before = standing.filter((one) => one.invariant === invariant);
      const counts = { violations: 0, unhealed: 0, now: before.length };
      this.#verdicts.set(invariant, {
        invariant,
        says,
        standing: before.slice(0, MOST_VIOLATIONS),
        ...counts,
      });
    }
  }

  count(violation: Violation, isOpen: boolean): void {
    const verdict = this.#verdicts.get(violation.invariant)!;
    const key = `${violation.invariant} ${violation.event.id} ${formatEntity(violation.entity)} ${violation.message}`;
    if (violation.healedBy === undefined) {
      verdict.violations += 1;
      verdict.unhealed += 1;
      if (isOpen) verdict.now += 1;
      if (this.#kept.size < MOST_VIOLATIONS) this.#kept.set(key, violation);
    } else {
      verdict.unhealed -= 1;
      verdict.now -= 1;
      if (this.#kept.has(key)) this.#kept.set(key, violation);
    }
    if (verdict.first === undefined || verdict.first.event.id === violation.event.id)
      verdict.first = violation;
  }

  result(): Pick<Verdict, "invariants" | "violations"> {
    const violations = [...this.#kept.values()].sort((a, b) => a.event.atMs - b.event.atMs);
    return { invariants: [...this.#verdicts.values()], violations };
  }
}
