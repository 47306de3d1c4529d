import type { BusConnection } from "#bus";
import { subjects } from "#contracts";
import { type HostLog, liveEnd } from "#event-log";
import type { Clock } from "#kernel";

const EVERY_MS = 1_000;

/**
 * Says on the live feed how far the log goes, and which agent says so, again and again: a reader that missed the last event of a burst would
 * learn of it by nothing else until FLEET brings it (F16).
 */
export class LogEndBeacon {
  readonly #nc: BusConnection;
  readonly #log: HostLog;
  readonly #clock: Clock;
  readonly #agentVersion: string;

  constructor(nc: BusConnection, log: HostLog, clock: Clock, agentVersion: string) {
    this.#nc = nc;
    this.#log = log;
    this.#clock = clock;
    this.#agentVersion = agentVersion;
  }

  /** Resolves when `signal` fires. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#nc.isClosed()) {
      const { headers, body } = liveEnd(this.#log.logId, this.#log.lastSequence, this.#agentVersion);
      this.#nc.publish(subjects.live(this.#log.hostId), body, { headers });
      await this.#clock.sleep(EVERY_MS, signal).catch(() => {});
    }
  }
}
