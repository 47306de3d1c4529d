import { type JetStreamManager, jetstreamManager, type StreamSourceInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { subjects } from "#contracts";
import type { Clock } from "#kernel";
import type { FleetReconciler } from "./fleet-reconciler.ts";
import { FLEET, parseHostStream } from "./stream-names.ts";

const CHECK_MS = 1_000;
/** A source that works says so every second, also when its host has nothing new. */
const STALLED_AFTER_MS = 2_500;
/** Its host is there: an agent is heard on the live feed every second. */
const HEARD_WITHIN_MS = 2_500;
/** Added anew, a source looks through FLEET for where it stood: not to be asked for all the time. */
const PATIENCE_MS = 10_000;

export interface StalledSourcesSettings {
  readonly nc: NatsConnection;
  readonly reconciler: FleetReconciler;
  readonly clock: Clock;
  /** Told which streams were sourced anew. */
  readonly onResumed: (streams: readonly string[]) => void;
}

/**
 * Has FLEET go on with hosts that are back. After a hub's or a leaf's restart its sources stand still for up to 40 s, far
 * longer than the link takes; and the server tells nobody which of them do, so they are looked at by a timer.
 */
export class StalledSources {
  readonly #settings: StalledSourcesSettings;
  /** By host, on the monotonic clock. */
  readonly #heardAtMs = new Map<string, number>();
  /** By stream. */
  readonly #resumedAtMs = new Map<string, number>();

  constructor(settings: StalledSourcesSettings) {
    this.#settings = settings;
  }

  /** Looks until `signal` fires. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { nc, clock } = this.#settings;
    const prefix = subjects.live("");
    const live = nc.subscribe(subjects.live("*"), {
      callback: (_error, message) => {
        this.#heardAtMs.set(message.subject.slice(prefix.length), clock.monotonicMs());
      },
    });
    while (!signal.aborted && !nc.isClosed()) {
      await this.#look().catch(() => undefined);
      await clock.sleep(CHECK_MS, signal).catch(() => undefined);
    }
    live.unsubscribe();
  }

  async #look(): Promise<void> {
    const { nc, reconciler, clock, onResumed } = this.#settings;
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const stalled = (await sourcesOf(jsm))
      .filter((source) => this.#isStalled(source))
      .map(({ name }) => name);
    if (stalled.length === 0) return;
    for (const name of stalled) this.#resumedAtMs.set(name, clock.monotonicMs());
    await reconciler.resume(new Set(stalled));
    onResumed(stalled);
  }

  #isStalled({ name, active }: StreamSourceInfo): boolean {
    const nowMs = this.#settings.clock.monotonicMs();
    const since = (atMs: number | undefined) => nowMs - (atMs ?? Number.NEGATIVE_INFINITY);
    const isSilent = active < 0 || active > STALLED_AFTER_MS * 1e6;
    const isThere = since(this.#heardAtMs.get(parseHostStream(name)?.hostId ?? "")) < HEARD_WITHIN_MS;
    return isSilent && isThere && since(this.#resumedAtMs.get(name)) > PATIENCE_MS;
  }
}

async function sourcesOf(jsm: JetStreamManager): Promise<readonly StreamSourceInfo[]> {
  return (await jsm.streams.info(FLEET)).sources ?? [];
}
