import type { BusConnection } from "#bus";
import { subjects } from "#contracts";
import { type HostLog, liveEnd } from "#event-log";
import type { Clock } from "#kernel";
import type { StateHash } from "./state-hash.ts";

const EVERY_MS = 1_000;

/**
 * Says on the live feed how far the log goes, what it folds to, and which agent says so, again and again: a reader that missed the last event of a burst would
 * learn of it by nothing else until FLEET brings it (F16).
 */
export class LogEndBeacon {
  readonly #nc: BusConnection;
  readonly #log: HostLog;
  readonly #clock: Clock;
  readonly #agentVersion: string;
  readonly #stateHash: StateHash;

  constructor(nc: BusConnection, log: HostLog, clock: Clock, agentVersion: string, stateHash: StateHash) {
    this.#nc = nc;
    this.#log = log;
    this.#clock = clock;
    this.#agentVersion = agentVersion;
    this.#stateHash = stateHash;
  }

  /** Resolves when `signal` fires. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#nc.isClosed()) {
      const { logId, lastSequence } = this.#log;
      const { headers, body } = liveEnd(logId, lastSequence, this.#agentVersion, this.#stateHash.latest);
      this.#nc.publish(subjects.live(this.#log.hostId), body, { headers });
      await this.#clock.sleep(EVERY_MS, signal).catch(() => {});
    }
  }
}
