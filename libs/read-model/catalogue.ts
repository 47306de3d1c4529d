import type { Clock } from "#kernel";
import { Generation, type GenerationRecord } from "./generation.ts";
import type { Generations, OpenGeneration } from "./generations.ts";
import { currentShape, isNewer } from "./shape.ts";
import { isDamage, lineOf } from "./trouble.ts";

/** The generations that this version of Drover can use. */
export interface Usable {
  /** May be read. */
  readonly complete?: Generation;
  /** Was being filled when its process ended. */
  readonly filling?: Generation;
}

/** What a generation is to this version: another version's is left alone as long as it may be in use (F05). */
type Kind = "complete" | "filling" | "older" | "newer" | "damaged";

/** Which generations there are, and what becomes of them. */
export class Catalogue {
  readonly #generations: Generations;
  readonly #clock: Clock;
  readonly #notice: (line: string) => void;
  readonly #shape = currentShape();
  /** Turned out to be damaged as they were used. */
  readonly #distrusted = new Set<number>();
  /** Numbers of those that are gone are not given again. */
  #highest = 0;

  /** `notice`: is told in one line of whatever is not as this version would have left it. */
  constructor(generations: Generations, clock: Clock, notice: (line: string) => void) {
    this.#generations = generations;
    this.#clock = clock;
    this.#notice = notice;
  }

  /** Opens what can be used. Rejects when the place cannot be reached. */
  async survey(): Promise<Usable> {
    const usable: { complete?: Generation; filling?: Generation } = {};
    try {
      for (const number of await this.#generations.list()) {
        const kind = await this.#take(number, usable);
        if (usable.complete !== undefined) return usable;
        if (kind === "damaged") await this.#generations.remove(number);
      }
      return usable;
    } catch (error) {
      await Promise.all([usable.complete?.close(), usable.filling?.close()]);
      throw error;
    }
  }

  /** A new generation with empty tables. */
  async create(): Promise<Generation> {
    const [newest = 0] = await this.#generations.list();
    const number = Math.max(this.#highest, newest) + 1;
    await this.#generations.make(number);
    this.#highest = number;
    return this.#open(number, (open) => Generation.create(open, this.#clock));
  }

  /** From now on this generation is of no use to anybody. */
  distrust(number: number, why: string): void {
    this.#distrusted.add(number);
    this.#notice(`generation ${number} is damaged (${why}): it is made anew from the logs`);
  }

  /** Removes what another generation has taken the place of. Newer versions' are not ours to remove. */
  async removeBefore(successor: number): Promise<void> {
    for (const number of await this.#generations.list()) {
      if (number >= successor) continue;
      const { kind, generation } = await this.#inspect(number);
      await generation?.close();
      if (kind !== "newer") await this.#generations.remove(number);
    }
  }

  /** Takes one up where it is of use. Resolves to what it is. */
  async #take(number: number, usable: { complete?: Generation; filling?: Generation }): Promise<Kind> {
    const { kind, generation } = await this.#inspect(number);
    if (kind === "older" || kind === "newer") {
      const article = kind === "older" ? "an" : "a";
      this.#notice(`generation ${number} is of ${article} ${kind} version: another is made beside it`);
    }
    if (generation === undefined) return kind;
    if (kind === "complete" || (kind === "filling" && usable.filling === undefined))
      usable[kind] = generation;
    else await generation.close();
    return kind;
  }

  /** Opens one; what is damaged stays closed. */
  async #inspect(number: number): Promise<{ readonly kind: Kind; readonly generation?: Generation }> {
    this.#highest = Math.max(this.#highest, number);
    if (this.#distrusted.has(number)) return { kind: "damaged" };
    try {
      const generation = await this.#open(number, (open) => Generation.resume(open, this.#clock));
      return { kind: this.#kindOf(generation.record), generation };
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.distrust(number, lineOf(error));
      return { kind: "damaged" };
    }
  }

  async #open(number: number, take: (open: OpenGeneration) => Promise<Generation>): Promise<Generation> {
    const open = await this.#generations.open(number);
    try {
      return await take(open);
    } catch (error) {
      await open.close();
      throw error;
    }
  }

  #kindOf({ shape, completedAtMs }: GenerationRecord): Kind {
    if (shape !== this.#shape) return isNewer(shape, this.#shape) ? "newer" : "older";
    return completedAtMs === null ? "filling" : "complete";
  }
}
