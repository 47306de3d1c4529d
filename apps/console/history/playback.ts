import type { Player } from "./player.ts";

/** A frame that took longer counts as this much: a tab that slept does not jump. */
const LONGEST_FRAME_MS = 250;
/** Of a frame's 16 ms, what playing may take: the rest is for drawing. */
const BUDGET_MS = 6;

/** Lets time pass: frame by frame while playing. */
export class Playback {
  readonly #player: Player;
  #frame: number | undefined;
  #lastMs = 0;
  /** Events that are due and not played yet, with what is left of one. */
  #due = 0;

  constructor(player: Player) {
    this.#player = player;
  }

  toggle(): void {
    if (this.#player.snapshot().playing) this.pause();
    else this.play();
  }

  play(): void {
    if (this.#frame !== undefined) return;
    this.#player.set({ playing: true, live: false });
    this.#due = 0;
    this.#lastMs = performance.now();
    this.#frame = requestAnimationFrame(this.#tick);
  }

  pause(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    if (this.#player.snapshot().playing) this.#player.set({ playing: false, buffering: false });
  }

  readonly #tick = (nowMs: number): void => {
    const player = this.#player;
    const elapsedMs = Math.max(0, Math.min(nowMs - this.#lastMs, LONGEST_FRAME_MS));
    this.#lastMs = nowMs;
    this.#play(elapsedMs);
    player.keepAhead();
    const { window } = player;
    if (window.ahead === 0 && !window.moreAfter) {
      this.pause();
      return;
    }
    this.#frame = requestAnimationFrame(this.#tick);
  };

  #play(elapsedMs: number): void {
    const player = this.#player;
    const { tempo, atMs } = player.snapshot();
    const { window } = player;
    const isDry = () => window.ahead === 0 && window.moreAfter;
    if (tempo.kind === "events") {
      this.#due += (elapsedMs / 1_000) * tempo.perSecond;
      const played = player.advance(Math.floor(this.#due), Number.POSITIVE_INFINITY, BUDGET_MS);
      this.#due = isDry() ? 0 : Math.min(this.#due - played, tempo.perSecond);
      if (played > 0 || isDry()) player.settle({ buffering: isDry() });
      return;
    }
    const untilMs = atMs + elapsedMs * tempo.factor;
    player.advance(Number.POSITIVE_INFINITY, untilMs, BUDGET_MS);
    // What is due and not played yet holds time back: nothing that is shown is later than what happened.
    const next = window.next;
    const reachedMs = isDry() ? atMs : Math.min(untilMs, Math.max(atMs, next?.atMs ?? untilMs));
    player.settle({ atMs: reachedMs, buffering: isDry() });
  }
}
