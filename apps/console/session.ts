import { createContext, useContext, useSyncExternalStore } from "react";
import { ReplayApi } from "./api/replay-api.ts";
import { Almanac } from "./history/almanac.ts";
import { LiveFeed } from "./history/live-feed.ts";
import { Playback } from "./history/playback.ts";
import { Player } from "./history/player.ts";
import type { PlayerSnapshot } from "./history/player-snapshot.ts";
import { reconnect } from "./history/reconnect.ts";
import type { DeepLink } from "./link/deep-link.ts";
import { LinkStore } from "./link/link-store.ts";

/** After a moment has stood this long, it is in the address. */
const SETTLED_MS = 300;
/** While history grows, it is measured anew this often. */
const GROWTH_MS = 1_000;

/** Everything behind the page, made once. */
export class Session {
  readonly api: ReplayApi;
  readonly player: Player;
  readonly playback: Playback;
  readonly live: LiveFeed;
  readonly almanac: Almanac;
  readonly link = new LinkStore();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #growth: ReturnType<typeof setTimeout> | undefined;

  constructor(token: string | undefined) {
    this.api = new ReplayApi(token);
    this.player = new Player(this.api);
    this.playback = new Playback(this.player);
    this.live = new LiveFeed(this.api, this.player);
    this.almanac = new Almanac(this.api);
    this.link.onTravel((link) => void this.#travel(link));
    this.player.subscribe(() => this.#keepInAddress());
    this.player.subscribe(() => this.#noteGrowth());
    reconnect(this.api, this.player, () => {
      void this.almanac.refresh();
      if (this.player.snapshot().empty) void this.#travel(this.link.snapshot());
    });
  }

  /** Shows what the address says. */
  begin(): void {
    void this.almanac.refresh();
    void this.#travel(this.link.snapshot());
  }

  /** Goes to a moment as to a place: "back" returns. */
  goTo(moment: string, more: Partial<DeepLink> = {}): void {
    this.rest();
    this.link.push({ moment, ...more });
    void this.player.seek(moment);
  }

  /** Stops whatever moves by itself. */
  rest(): void {
    this.playback.pause();
    this.live.stop();
  }

  toggleLive(): void {
    if (this.player.snapshot().live) this.live.stop();
    else {
      this.playback.pause();
      this.link.push({ moment: "live" });
      void this.live.start();
    }
  }

  /** One event on or back. */
  stepBy(count: 1 | -1): void {
    this.rest();
    void this.player.stepBy(count);
  }

  async #travel({ moment }: DeepLink): Promise<void> {
    this.rest();
    if (moment === "live") await this.live.start();
    else if (this.player.snapshot().empty || moment !== this.player.snapshot().moment) {
      await this.player.seek(moment);
    }
  }

  /** History is longer than it was when it was measured. */
  #noteGrowth(): void {
    const { extent } = this.almanac.snapshot();
    const { atMs } = this.player.snapshot().step ?? { atMs: 0 };
    if (extent === undefined || atMs <= extent.lastMs || this.#growth !== undefined) return;
    this.#growth = setTimeout(() => {
      this.#growth = undefined;
      void this.almanac.refresh();
    }, GROWTH_MS);
  }

  #keepInAddress(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const { empty, seeking, playing, live, step, atMs } = this.player.snapshot();
      if (empty || seeking || playing) return;
      this.link.replace({ moment: live ? "live" : addressOf(step, atMs, this.player.snapshot().moment) });
    }, SETTLED_MS);
  }
}

/** A time between events stays a time, where nothing else tells how far time has gone on. */
function addressOf(step: PlayerSnapshot["step"], atMs: number, moment: string): string {
  return step === undefined || atMs > step.atMs ? String(Math.round(atMs)) : moment;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("no session around this component");
  return session;
}

/** One thing of the player's state: the state as a whole changes with each frame while it plays. */
export function usePlayer<K extends keyof PlayerSnapshot>(name: K): PlayerSnapshot[K] {
  const { player } = useSession();
  return useSyncExternalStore(player.subscribe, () => player.snapshot()[name]);
}

export function useLink(): DeepLink {
  const { link } = useSession();
  return useSyncExternalStore(link.subscribe, link.snapshot);
}
