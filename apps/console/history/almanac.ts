import type { ReplayExtent, ReplayViolation } from "#contracts";
import type { ReplayApi } from "../api/replay-api.ts";
import { ApiTrouble } from "../api/trouble.ts";

/** What is known of history as a whole. */
export interface AlmanacSnapshot {
  readonly extent: ReplayExtent | undefined;
  readonly violations: readonly ReplayViolation[];
  /** Up to when violations are known, epoch milliseconds. */
  readonly checkedToMs: number;
  readonly checked: boolean;
}

/** While the API still checks history, it is asked again this often. */
const CHECK_AGAIN_MS = 2_000;

/** History as a whole: how far it reaches, how dense it is, and what broke an invariant. */
export class Almanac {
  readonly #api: ReplayApi;
  readonly #listeners = new Set<() => void>();
  #snapshot: AlmanacSnapshot = { extent: undefined, violations: [], checkedToMs: 0, checked: false };
  #refreshing: Promise<void> | undefined;

  constructor(api: ReplayApi) {
    this.#api = api;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): AlmanacSnapshot => this.#snapshot;

  /** Asks anew. What does not answer stays as it was: the player tells of an API that is away. */
  refresh(): Promise<void> {
    this.#refreshing ??= Promise.all([this.#askExtent(), this.#askViolations()])
      .then(() => undefined)
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }

  async #askExtent(): Promise<void> {
    const extent = await this.#api.extent().catch(ignoreTrouble);
    if (extent !== undefined) this.#tell({ extent });
  }

  async #askViolations(): Promise<void> {
    const found = await this.#api.violations().catch(ignoreTrouble);
    if (found === undefined) return;
    const violations = [...found.violations].sort((a, b) => a.event.atMs - b.event.atMs);
    this.#tell({ violations, checkedToMs: found.checkedTo, checked: found.done });
    if (!found.done) setTimeout(() => void this.#askViolations(), CHECK_AGAIN_MS);
  }

  #tell(more: Partial<AlmanacSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...more };
    for (const listener of this.#listeners) listener();
  }
}

function ignoreTrouble(error: unknown): undefined {
  if (!(error instanceof ApiTrouble)) throw error;
}
