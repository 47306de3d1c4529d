import type { World } from "#timeline";

/** Worlds that somebody is likely to go on from. A world has one user: whoever takes it has it alone. */
export class WorldCache {
  readonly #worlds = new Map<string, World>();
  readonly #most: number;

  /** `most`: how many are kept; each takes as much memory as the fleet's fold. */
  constructor(most: number) {
    this.#most = most;
  }

  take(place: string): World | undefined {
    const world = this.#worlds.get(place);
    this.#worlds.delete(place);
    return world;
  }

  put(place: string, world: World): void {
    this.#worlds.delete(place);
    this.#worlds.set(place, world);
    const [oldest] = this.#worlds.keys();
    if (this.#worlds.size > this.#most && oldest !== undefined) this.#worlds.delete(oldest);
  }
}
