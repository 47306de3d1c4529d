import type { ReplayStep } from "#contracts";
import type { ReplayApi } from "../api/replay-api.ts";
import { ApiTrouble, type Trouble } from "../api/trouble.ts";
import { loadAround } from "./load-around.ts";
import { momentOf, timeOf } from "./moment.ts";
import { NOTHING_SHOWN, type PlayerSnapshot } from "./player-snapshot.ts";
import { Scene } from "./scene.ts";
import { CHUNK, StepWindow } from "./step-window.ts";
import type { Tempo } from "./tempo.ts";

/** Playing is ahead of its time as soon as fewer steps than this are left. */
const LOW_WATER = 2 * CHUNK;

/**
 * Where in history the page is. Owns the scene and the steps around it, goes to any moment, steps both ways, and keeps
 * steps ready ahead of playing. What drives time is `Playback`; what tells of news is `LiveFeed`.
 */
export class Player {
  readonly scene = new Scene();
  readonly window = new StepWindow();
  readonly #api: ReplayApi;
  readonly #listeners = new Set<() => void>();
  readonly #position = new Map<string, number>();
  #snapshot: PlayerSnapshot = NOTHING_SHOWN;
  #seek: { readonly moment: string; readonly abort: AbortController } | undefined;
  #wanted: string | undefined;
  #fetching: Promise<void> | undefined;

  constructor(api: ReplayApi) {
    this.#api = api;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): PlayerSnapshot => this.#snapshot;

  /** Goes to a moment: one that is near without asking anybody. While one is being fetched, the last one wished counts. */
  async seek(moment: string): Promise<void> {
    if (this.#seekNear(moment)) return;
    this.#wanted = moment;
    if (this.#seek !== undefined) return;
    while (this.#wanted !== undefined) {
      const next: string = this.#wanted;
      this.#wanted = undefined;
      await this.#seekFar(next);
    }
  }

  /** Goes to a time, epoch milliseconds. */
  seekTime(atMs: number): Promise<void> {
    return this.seek(String(Math.round(atMs)));
  }

  /** One event on or back. */
  async stepBy(count: 1 | -1): Promise<void> {
    const { window } = this;
    if (count < 0 && window.cursor <= 1 && window.moreBefore) await this.fetchBefore();
    if (count > 0 && window.ahead === 0 && window.moreAfter) await this.fetchAfter();
    this.#moveTo(window.cursor + count);
    if (count < 0 && window.cursor < CHUNK && window.moreBefore) void this.fetchBefore();
    this.keepAhead();
  }

  /** Plays steps for at most `budgetMs`, up to `count` of them, none later than `untilMs`. Returns how many. */
  advance(count: number, untilMs: number, budgetMs: number): number {
    const { window } = this;
    const end = performance.now() + budgetMs;
    let played = 0;
    for (let step = window.next; step !== undefined && played < count; step = window.next) {
      if (step.atMs > untilMs || (played % 64 === 63 && performance.now() > end)) break;
      this.#apply(step);
      played += 1;
    }
    return played;
  }

  /** Shows the scene as it is now, at the time given or that of the last event. */
  settle(more: Partial<PlayerSnapshot> = {}): void {
    const step = this.window.current;
    const atMs = more.atMs ?? step?.atMs ?? this.#snapshot.atMs;
    const moment = step === undefined ? String(Math.round(atMs)) : momentOf(step);
    this.#tell({ ...more, atMs, step, moment });
  }

  /** Fetches steps as soon as few are left; not while nobody answers. */
  keepAhead(): void {
    if (this.#snapshot.trouble !== undefined) return;
    if (this.window.ahead < LOW_WATER && this.window.moreAfter) void this.fetchAfter();
  }

  /** Asks for what came after the last step known. */
  fetchAfter(): Promise<void> {
    const { window } = this;
    const { last } = window;
    const after = last === undefined ? this.#snapshot.moment : momentOf(last);
    return this.#fetch(async () => {
      const { steps, more } = await this.#api.steps({ after, limit: CHUNK });
      // A seek may have begun anew meanwhile.
      if (window.last === last) window.append(steps, more);
    });
  }

  set(more: Partial<Pick<PlayerSnapshot, "playing" | "buffering" | "live" | "atMs">>): void {
    this.#tell(more);
  }

  setTempo(tempo: Tempo): void {
    this.#tell({ tempo });
  }

  /** Something did not answer. The picture stays. */
  fail(trouble: Trouble): void {
    const { trouble: before } = this.#snapshot;
    const sinceMs = before?.kind === trouble.kind ? before.sinceMs : trouble.sinceMs;
    this.#tell({ trouble: { kind: trouble.kind, message: trouble.message, sinceMs }, seeking: false });
  }

  recover(): void {
    if (this.#snapshot.trouble !== undefined) this.#tell({ trouble: undefined });
  }

  /** Within the steps at hand. False when it is not there. */
  #seekNear(moment: string): boolean {
    if (this.#snapshot.empty || this.#seek !== undefined) return false;
    const atMs = timeOf(moment);
    const cursor = atMs === undefined ? this.window.cursorAfter(moment) : this.window.cursorAt(atMs);
    if (cursor === undefined) return false;
    this.#moveTo(cursor, atMs);
    this.keepAhead();
    return true;
  }

  async #seekFar(moment: string): Promise<void> {
    const abort = new AbortController();
    this.#seek = { moment, abort };
    this.#tell({ seeking: true });
    try {
      await this.#fetching;
      const around = await loadAround(this.#api, moment, abort.signal);
      this.scene.load(around.at);
      this.#position.clear();
      for (const [log, sequence] of around.position) this.#position.set(log, sequence);
      this.window.reset(around.before, around.after);
      this.window.moreBefore = around.moreBefore;
      this.window.moreAfter = around.moreAfter;
      const atMs = timeOf(moment) ?? around.at.atMs;
      this.settle({ empty: false, seeking: false, trouble: undefined, atMs });
    } catch (error) {
      this.#failWith(error);
    } finally {
      this.#seek = undefined;
    }
  }

  /** Asks for what came before the first step known. */
  fetchBefore(): Promise<void> {
    const { window } = this;
    const { first } = window;
    if (first === undefined) return Promise.resolve();
    return this.#fetch(async () => {
      const { steps, more } = await this.#api.steps({ before: momentOf(first), limit: CHUNK });
      if (window.first === first)
        window.prepend(
          steps.filter(({ id }) => id !== first.id),
          more,
        );
    });
  }

  /** One at a time: a second wish waits for the first. */
  #fetch(work: () => Promise<void>): Promise<void> {
    this.#fetching ??= work()
      .then(() => this.recover())
      .catch((error: unknown) => this.#failWith(error))
      .finally(() => {
        this.#fetching = undefined;
        if (this.scene.incomplete.size > 0 && this.#snapshot.trouble === undefined) void this.#complete();
      });
    return this.#fetching;
  }

  #moveTo(cursor: number, atMs?: number): void {
    const { window } = this;
    const target = Math.max(0, Math.min(cursor, window.steps.length));
    while (window.cursor < target) this.#apply(window.next!);
    while (window.cursor > target) this.#revert(window.current!);
    this.settle(atMs === undefined ? {} : { atMs });
    if (this.scene.incomplete.size > 0) void this.#complete();
  }

  /** Asks for what going back could not know. */
  #complete(): Promise<void> {
    const { moment } = this.#snapshot;
    return this.#fetch(async () => {
      const at = await this.#api.at(moment);
      this.scene.complete(at);
      this.settle({ atMs: this.#snapshot.atMs });
    });
  }

  #apply(step: ReplayStep): void {
    this.scene.apply(step);
    this.window.cursor += 1;
    this.#position.set(step.log, step.sequence);
  }

  #revert(step: ReplayStep): void {
    this.scene.revert(step);
    this.window.cursor -= 1;
    if (step.sequence > 1) this.#position.set(step.log, step.sequence - 1);
    else this.#position.delete(step.log);
  }

  #failWith(error: unknown): void {
    if (error instanceof ApiTrouble) this.fail(error);
    else if (!(error instanceof DOMException)) throw error;
  }

  #tell(more: Partial<PlayerSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, position: this.#position, ...more };
    for (const listener of this.#listeners) listener();
  }
}
