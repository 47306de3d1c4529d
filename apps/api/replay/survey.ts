import type { RecordedEvent } from "#contracts";
import { type Clock, wallMsOf } from "#kernel";
import { INVARIANTS, type Violation, Watch } from "#replay";
import type { Timeline } from "#timeline";
import { breath } from "./breath.ts";

/** What hosts tell arrives within this: what is younger is not looked at yet, as an earlier event may still come. */
const SETTLED_MS = 5_000;
/** More are counted, and not kept. */
const MOST_KEPT = 2_000;
/** An event that came later than that makes all that was found doubtful: from the beginning, but not all the time. */
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** What was found so far. */
export interface Findings {
  readonly violations: readonly Violation[];
  readonly isTruncated: boolean;
  /** Wall time up to which history was looked at, epoch ms; 0 before the first event. */
  readonly checkedToMs: number;
  readonly isDone: boolean;
}

const NOTHING: Findings = { violations: [], isTruncated: false, checkedToMs: 0, isDone: false };

/** Looks at every event of history, once and in causal order, for what must never be; then follows what is appended. */
export class Survey {
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  readonly #notice: (line: string) => void;
  #happened = Promise.withResolvers<void>();
  /** Of the last look that came to the end. */
  #known: Findings = NOTHING;
  /** Of the one that is under way. */
  #look: Look | undefined;

  constructor(timeline: Timeline, clock: Clock, notice: (line: string) => void) {
    this.#timeline = timeline;
    this.#clock = clock;
    this.#notice = notice;
    // What happened right before the first look has not settled then, and is told by nobody.
    this.#happened.resolve();
  }

  /** What an earlier look found stands until the one under way has come as far. */
  findings(): Findings {
    const look = this.#look?.findings() ?? NOTHING;
    return look.isDone || look.checkedToMs >= this.#known.checkedToMs ? look : this.#known;
  }

  happened(): void {
    this.#happened.resolve();
  }

  /** Looks until `signal` fires. */
  async run(signal: AbortSignal): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      try {
        this.#look = new Look(await this.#timeline.beginning());
        while (await this.#lookOn(this.#look, signal)) await this.#settled(signal);
      } catch (thrown) {
        if (signal.aborted) return;
        this.#notice(`looking for violations failed, and begins again: ${String(thrown)}`);
      }
      this.#known = this.#look?.findings() ?? this.#known;
      await this.#clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** Looks at what has settled. False when something came too late for that. */
  async #lookOn(look: Look, signal: AbortSignal): Promise<boolean> {
    const until = { kind: "time", atMs: this.#clock.nowMs() - SETTLED_MS } as const;
    for await (const batch of this.#timeline.after(look.world, { until })) {
      await breath(signal);
      for (const event of batch) if (!look.at(event)) return false;
    }
    look.isDone = true;
    return true;
  }

  /** Until something has happened, and has settled. */
  async #settled(signal: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => stopped.resolve(), { once: true });
    await Promise.race([this.#happened.promise, stopped.promise]);
    this.#happened = Promise.withResolvers<void>();
    await this.#clock.sleep(SETTLED_MS + 1_000, signal).catch(() => undefined);
    signal.throwIfAborted();
  }
}

/** One look from the beginning of history on. */
class Look {
  readonly #watch: Watch;
  /** By what is broken, in the order in which it broke. */
  readonly #found = new Map<string, Violation>();
  #isTruncated = false;
  /** The greatest place in the order so far, of each log and of all. */
  readonly #reached = new Map<string, string>();
  #latest = "";
  isDone = false;

  constructor(world: Watch["world"]) {
    this.#watch = new Watch(world, INVARIANTS);
  }

  get world(): Watch["world"] {
    return this.#watch.world;
  }

  /** False when the event comes later than it should. */
  at(event: RecordedEvent): boolean {
    // A log's own clock may go back (F20): its events stand where the ones before them do.
    let place = this.#reached.get(event.log) ?? "";
    if (event.header.clock > place) place = event.header.clock;
    this.#reached.set(event.log, place);
    const isLate = place < this.#latest;
    if (!isLate) this.#latest = place;
    const { broken, healed } = this.#watch.apply(event);
    for (const { violation } of broken) this.#keep(violation);
    for (const violation of healed) if (this.#found.has(keyOf(violation))) this.#keep(violation);
    return !isLate;
  }

  findings(): Findings {
    return {
      violations: [...this.#found.values()],
      isTruncated: this.#isTruncated,
      checkedToMs: this.#latest === "" ? 0 : wallMsOf(this.#latest),
      isDone: this.isDone,
    };
  }

  #keep(violation: Violation): void {
    const key = keyOf(violation);
    if (this.#found.size >= MOST_KEPT && !this.#found.has(key)) this.#isTruncated = true;
    else this.#found.set(key, violation);
  }
}

function keyOf({ invariant, entity, event }: Violation): string {
  return `${invariant} ${entity.kind}/${entity.id} ${event.id}`;
}
