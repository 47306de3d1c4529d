import type { Moment } from "#fleet";
import { Census, type Extent, extentOf } from "../extent.ts";
import type { OnUnreadable } from "../history.ts";
import { Timeline } from "../timeline.ts";
import { World } from "../world.ts";
import { compose } from "./compose.ts";
import { Reading } from "./reading.ts";
import type { Rounds, RoundsNow } from "./rounds.ts";
import { RoundsHistory } from "./rounds-history.ts";

/** What a long question tells on its way. */
export type OnProgress = (read: number, of: number) => void;

/** A hub's history, of which any moment is near a round. */
export class RoundsTimeline extends Timeline {
  readonly #rounds: Rounds;
  readonly #onUnreadable: OnUnreadable;
  readonly #onProgress: OnProgress;

  constructor(
    nc: ConstructorParameters<typeof RoundsHistory>[0],
    rounds: Rounds,
    onUnreadable: OnUnreadable,
    onProgress: OnProgress,
  ) {
    super({ history: new RoundsHistory(nc, rounds, onUnreadable), onUnreadable });
    this.#rounds = rounds;
    this.#onUnreadable = onUnreadable;
    this.#onProgress = onProgress;
  }

  override at(moment: Moment): Promise<World> {
    return this.#rounds.ask((now) => this.#at(now, moment));
  }

  override extent(): Promise<Extent> {
    return this.#rounds.ask(async ({ index, ends }) => {
      const census = new Census();
      for await (const arrived of this.#rounds.tail.read(index, ends)) {
        for (const { decoded } of arrived) if (decoded.kind === "event") census.count(decoded.event);
      }
      const first = (index.last?.control ?? 0) + 1;
      for await (const entries of this.#rounds.arrivals.control(ends.controlLog, first, ends.control)) {
        for (const { decoded } of entries) if (decoded.kind === "event") census.count(decoded.event);
      }
      return extentOf([...index.rounds.flatMap(({ slices }) => slices), ...census.slices()]);
    });
  }

  async #at({ index, ends }: RoundsNow, moment: Moment): Promise<World> {
    const { file } = this.#rounds;
    const damaged = index.firstDamaged;
    const composed = file === undefined ? undefined : await compose(file.directory, index, moment);
    if (index.firstDamaged !== damaged) this.#rounds.damaged();
    const world = composed?.world ?? new World();
    // Without anything to begin with, all is read.
    const known = composed === undefined ? index.prefix(0) : index;
    const cuts = composed?.cuts ?? new Map();
    const plan = { index: known, ends, until: moment, cuts, after: world.position };
    const reading = new Reading(
      this.#rounds.arrivals,
      this.#rounds.tail,
      { ...plan, takesNew: (log) => !cuts.has(log), takesControl: true },
      this.#onUnreadable,
    );
    const of = ends.fleet - (known.last?.fleet ?? 0);
    let read = 0;
    for await (const events of reading.events()) {
      for (const event of events) this.apply(world, event);
      read += events.length;
      this.#onProgress(read, Math.max(read, of));
    }
    return world;
  }
}
