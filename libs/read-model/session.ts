import { sql } from "drizzle-orm";
import type { Catalogue } from "./catalogue.ts";
import { Follower, type FollowerSettings, OtherHistoryError } from "./follower.ts";
import type { Generation } from "./generation.ts";
import { isDamage, lineOf } from "./trouble.ts";
import { within } from "./within.ts";

const PROBE_MS = 2_000;

/**
 * A time in which the database is there: from its opening to the first failure. Then everything is closed, and the next
 * session begins with what is stored.
 */
export class Session {
  readonly #catalogue: Catalogue;
  readonly #settings: FollowerSettings;
  readonly #notice: (line: string) => void;
  readonly #failed = Promise.withResolvers<unknown>();
  #serving: Follower | undefined;
  #filling: Follower | undefined;
  #making: Promise<number> | undefined;

  /** Opens what can be read, and goes on with, or begins, what has to be filled. */
  static async open(
    catalogue: Catalogue,
    settings: FollowerSettings,
    notice: (line: string) => void,
  ): Promise<Session> {
    const session = new Session(catalogue, settings, notice);
    const { complete, filling } = await catalogue.survey();
    if (complete !== undefined) session.#serving = session.#follow(complete);
    if (filling !== undefined) session.#fill(filling);
    else if (complete === undefined) session.#fill(await catalogue.create());
    return session;
  }

  private constructor(catalogue: Catalogue, settings: FollowerSettings, notice: (line: string) => void) {
    this.#catalogue = catalogue;
    this.#settings = settings;
    this.#notice = notice;
  }

  /** What is read. */
  get serving(): Follower | undefined {
    return this.#serving;
  }

  /** What will be read. */
  get filling(): Follower | undefined {
    return this.#filling;
  }

  /** Resolves to what ended it. */
  get failed(): Promise<unknown> {
    return this.#failed.promise;
  }

  /** Fills another generation; joins one that is being filled. Resolves to its number. */
  rebuild(): Promise<number> {
    if (this.#filling !== undefined) return Promise.resolve(this.#filling.generation.number);
    const make = async () => this.#fill(await this.#catalogue.create());
    this.#making ??= make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  /** A read failed: that may be its own fault, or the end. */
  async doubt(follower: Follower, error: unknown): Promise<void> {
    if (isDamage(error)) return this.#fail(follower, error);
    await within(this.#settings.clock, PROBE_MS, follower.generation.db.execute(sql`select 1`)).catch(
      (silence) => this.#fail(follower, silence),
    );
  }

  /** Closes all of it. Never rejects. */
  async close(): Promise<void> {
    this.#failed.resolve(new Error("closed"));
    const followers = [this.#serving, this.#filling];
    await Promise.all(followers.map((follower) => follower?.stop()));
  }

  #follow(generation: Generation): Follower {
    const follower = new Follower(generation, this.#settings);
    follower.start((error) => this.#fail(follower, error));
    return follower;
  }

  #fill(generation: Generation): number {
    const follower = this.#follow(generation);
    this.#filling = follower;
    follower.caughtUp.then(() => this.#swap(follower)).catch((error) => this.#fail(follower, error));
    return generation.number;
  }

  /** From one moment to the next the other generation is read. */
  async #swap(filled: Follower): Promise<void> {
    await filled.generation.complete();
    const before = this.#serving;
    this.#serving = filled;
    this.#filling = undefined;
    this.#notice(`generation ${filled.generation.number} is complete and read from now on`);
    await before?.stop();
    await this.#catalogue.removeBefore(filled.generation.number);
  }

  #fail({ generation }: Follower, error: unknown): void {
    if (isDamage(error) || error instanceof OtherHistoryError) {
      this.#catalogue.distrust(generation.number, lineOf(error));
    }
    this.#failed.resolve(error);
  }
}
