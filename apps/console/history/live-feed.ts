import type { ReplayApi } from "../api/replay-api.ts";
import { ApiTrouble } from "../api/trouble.ts";
import type { Player } from "./player.ts";

/** News come in bursts: they are asked for at most this often. */
const REST_MS = 200;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

/** Follows the present: the newest event is the moment shown, as long as it is on. */
export class LiveFeed {
  readonly #api: ReplayApi;
  readonly #player: Player;
  #running: AbortController | undefined;
  #news = false;
  #asking = false;

  constructor(api: ReplayApi, player: Player) {
    this.#api = api;
    this.#player = player;
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    const running = new AbortController();
    this.#running = running;
    this.#player.set({ live: true });
    await this.#player.seek("now");
    void this.#follow(running.signal);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    if (this.#player.snapshot().live) this.#player.set({ live: false });
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      // What happened while nobody listened.
      this.#hear(signal);
      try {
        await this.#api.follow(() => {
          retryMs = FIRST_RETRY_MS;
          this.#hear(signal);
        }, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ApiTrouble)) throw error;
        this.#player.fail(error);
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
    }
  }

  #hear(signal: AbortSignal): void {
    this.#news = true;
    if (!this.#asking) void this.#catchUp(signal);
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    this.#asking = true;
    while (this.#news && !signal.aborted) {
      this.#news = false;
      await this.#player.fetchAfter();
      if (signal.aborted) break;
      const played = this.#player.advance(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 1_000);
      if (played > 0) this.#player.settle();
      this.#news ||= played > 0 && this.#player.window.moreAfter;
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
    this.#asking = false;
  }
}
