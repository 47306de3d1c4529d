import type { Change } from "#timeline";

/** For how long routers could not send requests to a machine that they could send them to before. */
export class RouteGap {
  #goneSinceMs: number | undefined;
  #totalMs = 0;

  /** A change of its route's state, in order. `atMs`: when, epoch milliseconds. */
  note({ before, after }: Pick<Change, "before" | "after">, atMs: number): void {
    if (before === "started" && after !== "started") this.#goneSinceMs ??= atMs;
    if (after !== "started" || this.#goneSinceMs === undefined) return;
    this.#totalMs += Math.max(0, atMs - this.#goneSinceMs);
    this.#goneSinceMs = undefined;
  }

  /** Milliseconds in all of the gaps that ended, and of the one that is open still when that is to count until `endMs`. */
  totalMs(endMs?: number): number {
    const open = endMs === undefined || this.#goneSinceMs === undefined ? 0 : endMs - this.#goneSinceMs;
    return this.#totalMs + Math.max(0, open);
  }
}
