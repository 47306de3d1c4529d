/** What is left of a list when all that is not needed has gone. */
export interface Minimised<T> {
  readonly items: readonly T[];
  readonly runs: number;
  /** Whether it was seen that not one more of the items could go. */
  readonly isMinimal: boolean;
}

export interface MinimiseOptions<T> {
  /** Tries at the most. What is left then still fails, and may be larger than it had to be. */
  readonly maxRuns: number;
  /** Items that come and go together at first. Each goes by itself where it has no group in common with another. */
  readonly groupOf?: (item: T) => string;
  /** After each try. */
  readonly onRun?: (runs: number, left: number) => void;
}

/**
 * The least part of a list that still fails, in its order: delta debugging (ddmin, Zeller & Hildebrandt 2002), which leaves
 * out ever smaller pieces for as long as what is left fails. `items` has to fail as a whole. The same input comes to the same
 * end; between tries others may work.
 */
export async function minimise<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => boolean,
  options: MinimiseOptions<T>,
): Promise<Minimised<T>> {
  const search = new Search(fails, options);
  const { groupOf } = options;
  if (groupOf === undefined) return search.reduce(items.map((item) => [item]));
  const groups = new Map<string, number[]>();
  for (const [index, item] of items.entries()) {
    const group = groups.get(groupOf(item));
    if (group === undefined) groups.set(groupOf(item), [index]);
    else group.push(index);
  }
  // By index, so that what is left of several groups is in the list's order again.
  const byIndex = new Search<number>((indices) => fails(indices.map((index) => items[index]!)), {
    ...{ maxRuns: options.maxRuns, ...(options.onRun === undefined ? {} : { onRun: options.onRun }) },
    order: (a, b) => a - b,
  });
  const coarse = await byIndex.reduce([...groups.values()]);
  const fine = await byIndex.reduce(coarse.items.map((index) => [index]));
  return { ...fine, items: fine.items.map((index) => items[index]!) };
}

interface SearchOptions<T> {
  readonly maxRuns: number;
  readonly onRun?: (runs: number, left: number) => void;
  readonly order?: (a: T, b: T) => number;
}

class Search<T> {
  readonly #fails: (items: readonly T[]) => boolean;
  readonly #options: SearchOptions<T>;
  #runs = 0;

  constructor(fails: (items: readonly T[]) => boolean, options: SearchOptions<T>) {
    this.#fails = fails;
    this.#options = options;
  }

  /** Leaves out pieces of `units`, each of which stays or goes whole. */
  async reduce(units: readonly (readonly T[])[]): Promise<Minimised<T>> {
    let left = units;
    for (let size = Math.ceil(left.length / 2); left.length > 0; ) {
      const before = left.length;
      for (let at = 0; at < left.length && !this.#isSpent(); ) {
        const without = left.toSpliced(at, size);
        if (await this.#stillFails(without)) left = without;
        else at += size;
      }
      if (this.#isSpent()) return this.#result(left, false);
      if (size === 1 && left.length === before) break;
      if (size > 1) size = Math.max(1, Math.min(Math.floor(size / 2), Math.ceil(left.length / 2)));
    }
    return this.#result(left, true);
  }

  #isSpent(): boolean {
    return this.#runs >= this.#options.maxRuns;
  }

  async #stillFails(units: readonly (readonly T[])[]): Promise<boolean> {
    this.#runs += 1;
    await new Promise((next) => setImmediate(next));
    const items = this.#flat(units);
    const failed = this.#fails(items);
    this.#options.onRun?.(this.#runs, items.length);
    return failed;
  }

  #flat(units: readonly (readonly T[])[]): T[] {
    const items = units.flat();
    return this.#options.order === undefined ? items : items.sort(this.#options.order);
  }

  #result(units: readonly (readonly T[])[], isMinimal: boolean): Minimised<T> {
    return { items: this.#flat(units), runs: this.#runs, isMinimal };
  }
}
