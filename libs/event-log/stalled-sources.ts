import { type JetStreamManager, jetstreamManager, type StreamSourceInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "#kernel";
import type { FleetReconciler } from "./fleet-reconciler.ts";
import { HostPulse } from "./host-pulse.ts";
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
  readonly #pulse: HostPulse;
  /** By stream, on the monotonic clock. */
  readonly #resumedAtMs = new Map<string, number>();

  constructor(settings: StalledSourcesSettings) {
    this.#settings = settings;
    this.#pulse = new HostPulse(settings.nc, settings.clock);
  }

  /** Looks until `signal` fires. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { nc, clock } = this.#settings;
    while (!signal.aborted && !nc.isClosed()) {
      await this.#look().catch(() => undefined);
      await clock.sleep(CHECK_MS, signal).catch(() => undefined);
    }
    if (!nc.isClosed()) this.#pulse.stop();
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
    const isSilent = active < 0 || active > STALLED_AFTER_MS * 1e6;
    const silenceMs = this.#pulse.silenceMs(parseHostStream(name)?.hostId ?? "") ?? Number.POSITIVE_INFINITY;
    const resumedAtMs = this.#resumedAtMs.get(name) ?? Number.NEGATIVE_INFINITY;
    const isTried = this.#settings.clock.monotonicMs() - resumedAtMs <= PATIENCE_MS;
    return isSilent && silenceMs < HEARD_WITHIN_MS && !isTried;
  }
}

async function sourcesOf(jsm: JetStreamManager): Promise<readonly StreamSourceInfo[]> {
  return (await jsm.streams.info(FLEET)).sources ?? [];
}
