import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";

const schema = z.array(z.string());

/**
 * Ids of the routers that were heard of, in a file: a router may be cut off while the agent is restarted, and use machines
 * all the same. A file, for it is no truth about machines; written at once, for it is to be there before it counts.
 */
export class KnownRouters {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** None where there is no file, or none that can be read. */
  load(): string[] {
    try {
      return schema.parse(JSON.parse(readFileSync(this.#file, "utf8")));
    } catch {
      return [];
    }
  }

  save(routerIds: readonly string[]): void {
    writeFileSync(`${this.#file}.tmp`, JSON.stringify(routerIds));
    renameSync(`${this.#file}.tmp`, this.#file);
  }
}
