import { type Position, RefusedError, refusal } from "#kernel";
import { Catalogue } from "./catalogue.ts";
import type { Follower, FollowerSettings } from "./follower.ts";
import type { Database, Generations } from "./generations.ts";
import { Session } from "./session.ts";
import { isInTheData, lineOf } from "./trouble.ts";
import { within } from "./within.ts";

const READ_MS = 3_000;
const LATE_MS = 2_000;
/** PGlite takes a while to make its first directory on a busy machine. */
const OPEN_MS = 120_000;
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 10_000;
/** A session that lasted this long was a good one: the next begins soon. */
const GOOD_SESSION_MS = 10_000;

export interface ReadModelSettings extends FollowerSettings {
  readonly generations: Generations;
  /** Told in one line what became of it. */
  readonly notice: (line: string) => void;
}

/**
 * What a read came to. `why` is fit for people: whoever asked gets another answer, and is told. `isDown`: there is a
 * database that ought to answer, and does not.
 */
export type Read<T> = { readonly kind: "rows"; readonly rows: T } | NoRows;

interface NoRows {
  readonly kind: "none";
  readonly why: string;
  readonly isDown: boolean;
}

/** A generation that is being filled, or was. */
export interface FillStatus {
  readonly generation: number;
  readonly events: number;
  /** Of the events: set aside. */
  readonly quarantined: number;
  readonly startedAtMs: number;
  /** When it had caught up for the first time, and with how many events. */
  readonly completed?: { readonly atMs: number; readonly events: number };
}

/** How the read model is. */
export interface ReadModelStatus {
  readonly store: string;
  /** Why it cannot be read, and since when, in epoch milliseconds. */
  readonly trouble?: Trouble;
  /** What is read. */
  readonly serving?: FillStatus;
  readonly filling?: FillStatus;
  /** How far the rows go that are read. */
  readonly position: Position;
  /** When the rows last included all that was known, in epoch milliseconds. */
  readonly currentAtMs?: number;
}

interface Trouble {
  readonly why: string;
  readonly sinceMs: number;
}

/**
 * Rows for lists, history and SQL, behind the fold that everything else uses. Nothing waits for it: it is filled beside
 * what goes on, and while it cannot be read, `read` says so (F43). A rebuild fills another generation while the old one
 * is read and kept up to date; then that takes its place (F10).
 */
export class ReadModel {
  readonly #settings: ReadModelSettings;
  readonly #catalogue: Catalogue;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #session: Session | undefined;
  #trouble: Trouble | undefined;
  /** Rather than not open yet. */
  #hasFailed = false;
  #currentAtMs: number | undefined;

  constructor(settings: ReadModelSettings) {
    this.#settings = settings;
    const { generations, clock, notice } = settings;
    this.#catalogue = new Catalogue(generations, clock, notice);
    this.#trouble = { why: "it is not open yet", sinceMs: clock.nowMs() };
  }

  /** Opens it and keeps it up to date until `stop`, whatever becomes of the database meanwhile. */
  start(): void {
    this.#running = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#settings.generations.close();
  }

  /**
   * Asks the rows that include `position`: waits at most `reachMs` until they do, and for their answer for a bounded time.
   * Never rejects.
   */
  async read<T>(position: Position, reachMs: number, query: (db: Database) => Promise<T>): Promise<Read<T>> {
    const session = this.#session;
    const serving = session?.serving;
    if (session === undefined || serving === undefined) return this.#none();
    const isReached = serving.includes(position) || (await serving.waitFor(position, reachMs));
    if (!isReached && session.serving === serving) {
      return { kind: "none", why: "the database is behind", isDown: this.#isLate(serving) };
    }
    try {
      const rows = await within(this.#settings.clock, READ_MS, query(serving.generation.db));
      return { kind: "rows", rows };
    } catch (error) {
      // Another generation took its place meanwhile: that one is asked.
      if (session.serving !== serving && this.#session === session)
        return this.read(position, reachMs, query);
      if (!isInTheData(error)) void session.doubt(serving, error);
      return { kind: "none", why: `the database does not answer: ${lineOf(error)}`, isDown: true };
    }
  }

  /** Makes all rows anew from the logs. Resolves to the number of the generation; throws a refusal without a database. */
  async rebuild(): Promise<number> {
    const number = await this.#session?.rebuild().catch(() => undefined);
    if (number !== undefined) return number;
    throw new RefusedError(refusal("unreachable", `the read model cannot be rebuilt: ${this.#absence()}`));
  }

  status(): ReadModelStatus {
    const { serving, filling } = this.#session ?? {};
    const currentAtMs = serving?.currentAtMs ?? this.#currentAtMs;
    return {
      store: this.#settings.generations.name,
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
      ...(serving === undefined ? {} : { serving: fillStatus(serving) }),
      ...(filling === undefined ? {} : { filling: fillStatus(filling) }),
      position: serving?.position() ?? {},
      ...(currentAtMs === undefined ? {} : { currentAtMs }),
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#settings;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const startedAtMs = clock.monotonicMs();
      const error = await this.#serve(signal).catch((thrown: unknown) => thrown);
      if (signal.aborted) return;
      this.#fail(error);
      if (clock.monotonicMs() - startedAtMs > GOOD_SESSION_MS) failures = 0;
      const pauseMs = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** One session. Resolves to what ended it. */
  async #serve(signal: AbortSignal): Promise<unknown> {
    const { generations, clock, notice } = this.#settings;
    const stopped = new Promise<undefined>((done) => {
      signal.addEventListener("abort", () => done(undefined), { once: true });
    });
    const opening = Session.open(this.#catalogue, this.#settings, notice);
    // Should it still open one day, nobody waits for it.
    const abandon = () => void opening.then((late) => late.close()).catch(() => undefined);
    const session = await Promise.race([within(clock, OPEN_MS, opening), stopped]).catch((error) => {
      abandon();
      throw error;
    });
    if (session === undefined) return abandon();
    if (this.#trouble !== undefined) notice(`${generations.name} is there`);
    this.#trouble = undefined;
    this.#hasFailed = false;
    this.#session = session;
    const ended = await Promise.race([session.failed, stopped]);
    this.#currentAtMs = session.serving?.currentAtMs ?? this.#currentAtMs;
    this.#session = undefined;
    await session.close();
    return ended;
  }

  #fail(error: unknown): void {
    const { generations, notice, clock } = this.#settings;
    const why = `${generations.name} cannot be used: ${lineOf(error)}`;
    if (this.#trouble?.why !== why) notice(`${why}; lists are answered from memory until it is back`);
    this.#trouble = { why, sinceMs: this.#trouble?.sinceMs ?? clock.nowMs() };
    this.#hasFailed = true;
  }

  /** Being a moment behind is how it is while things happen; being so for long is being down. */
  #isLate({ currentAtMs }: Follower): boolean {
    return this.#settings.clock.nowMs() - (currentAtMs ?? 0) > LATE_MS;
  }

  #none(): NoRows {
    return { kind: "none", why: this.#absence(), isDown: this.#hasFailed };
  }

  #absence(): string {
    return this.#trouble?.why ?? "the database is being filled";
  }
}

function fillStatus({ generation }: Follower): FillStatus {
  const { createdAtMs: startedAtMs, events, quarantined, completedAtMs, completedEvents } = generation.record;
  const completed =
    completedAtMs === null ? {} : { completed: { atMs: completedAtMs, events: completedEvents ?? events } };
  return { generation: generation.number, events, quarantined, startedAtMs, ...completed };
}
