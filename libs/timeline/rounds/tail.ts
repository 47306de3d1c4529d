import type { ArrivedEvent, HubEnds } from "#event-log";
import type { Arrivals } from "./arrivals.ts";
import { ROUND_EVENTS } from "./round.ts";
import type { RoundIndex } from "./round-index.ts";

/** More than this after the last round is not kept in memory. */
const MOST_KEPT = 4 * ROUND_EVENTS;

/** What arrived after the last round: read once, and kept for the next question while it is not too much. */
export class Tail {
  readonly #arrivals: Arrivals;
  #events: ArrivedEvent[] = [];
  /** FLEET's sequences that are kept: after the one, up to the other. */
  #after = 0;
  #upTo = 0;
  #created = "";
  #extending: Promise<unknown> = Promise.resolve();

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  /** All of it, step by step. */
  async *read(index: RoundIndex | undefined, ends: HubEnds): AsyncGenerator<readonly ArrivedEvent[]> {
    const after = index?.last?.fleet ?? 0;
    if (ends.fleet - after > MOST_KEPT) {
      yield* this.#arrivals.between(after + 1, ends.fleet);
      return;
    }
    const extending = this.#extending.catch(() => undefined).then(() => this.#extend(after, ends));
    this.#extending = extending;
    await extending;
    yield this.#events.filter(({ fleetSequence }) => fleetSequence > after && fleetSequence <= ends.fleet);
  }

  async #extend(after: number, ends: HubEnds): Promise<void> {
    const isOther = ends.fleetCreated !== this.#created || ends.fleet < this.#upTo;
    if (isOther || after < this.#after || after > this.#upTo) {
      this.#events = [];
      this.#after = after;
      this.#upTo = after;
      this.#created = ends.fleetCreated;
    }
    for await (const events of this.#arrivals.between(this.#upTo + 1, ends.fleet))
      this.#events.push(...events);
    this.#upTo = ends.fleet;
    this.#events = this.#events.filter(({ fleetSequence }) => fleetSequence > after);
    this.#after = after;
  }
}
