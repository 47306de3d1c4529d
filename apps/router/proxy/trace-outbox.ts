import type { RequestTrace } from "#contracts";

/** Traces that may be under way to the hub at once. */
const MOST_UNDER_WAY = 256;

/**
 * Sends traces to the hub while requests go on. Nothing waits for them: what the hub does not take in time, and what there
 * is no room for, is dropped and counted (F44).
 */
export class TraceOutbox {
  readonly #append: (trace: RequestTrace) => Promise<void>;
  readonly #dropped: () => void;
  #underWay = 0;

  /** `append` rejects when the hub did not take it. */
  constructor(append: (trace: RequestTrace) => Promise<void>, dropped: () => void) {
    this.#append = append;
    this.#dropped = dropped;
  }

  send(trace: RequestTrace): void {
    if (this.#underWay >= MOST_UNDER_WAY) {
      this.#dropped();
      return;
    }
    this.#underWay += 1;
    this.#append(trace)
      .catch(this.#dropped)
      .finally(() => {
        this.#underWay -= 1;
      });
  }
}
