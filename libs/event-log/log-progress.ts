/** What may wait for a gap before it to close, per log. Beyond it, what arrives is dropped and read again later (F12). */
const MAX_HELD = 1_024;

/**
 * One log on its way into a fold. Whatever way its items come, and however often, each sequence passes once and in
 * order.
 */
export class LogProgress<T> {
  #applied: number;
  #known: number;
  readonly #held = new Map<number, T>();

  /** `applied`: the last sequence that passed; `known`: the highest that is known to exist. */
  constructor(applied = 0, known = 0) {
    this.#applied = applied;
    this.#known = Math.max(applied, known);
  }

  get applied(): number {
    return this.#applied;
  }

  get known(): number {
    return this.#known;
  }

  /** Whether something is known to exist that has not passed. */
  get isBehind(): boolean {
    return this.#known > this.#applied;
  }

  /** Takes note that a sequence exists. */
  notice(sequence: number): void {
    this.#known = Math.max(this.#known, sequence);
  }

  /** Takes an item and passes on, in order, all that may pass now: nothing for a repeat or across a gap. */
  offer(sequence: number, item: T, pass: (item: T, sequence: number) => void): void {
    this.notice(sequence);
    if (sequence <= this.#applied) return;
    if (sequence > this.#applied + 1) {
      if (this.#held.size < MAX_HELD) this.#held.set(sequence, item);
      return;
    }
    for (let next: T | undefined = item; next !== undefined; next = this.#held.get(this.#applied + 1)) {
      this.#applied += 1;
      this.#held.delete(this.#applied);
      pass(next, this.#applied);
    }
  }

  /** Lets a gap stand: what comes before `sequence` exists nowhere any more. Passes on what waited behind it. */
  skipTo(sequence: number, pass: (item: T, sequence: number) => void): void {
    if (sequence <= this.#applied + 1) return;
    this.#applied = sequence - 1;
    const waiting = this.#held.get(sequence);
    if (waiting !== undefined) this.offer(sequence, waiting, pass);
  }
}
