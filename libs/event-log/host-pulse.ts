import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import { subjects } from "#contracts";
import type { Clock } from "#kernel";
import { agentVersionFromLive } from "./live-message.ts";

/** When each host was last heard on the live feed: an agent that is there says something every second. */
export class HostPulse {
  readonly #clock: Clock;
  readonly #subscription: Subscription;
  /** By host, on the monotonic clock. */
  readonly #heardAtMs = new Map<string, number>();
  readonly #agentVersions = new Map<string, string>();
  readonly #sinceMs: number;

  constructor(nc: NatsConnection, clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
    const prefix = subjects.live("");
    this.#subscription = nc.subscribe(subjects.live("*"), {
      callback: (error, message) => {
        if (error === null) this.#heard(message.subject.slice(prefix.length), agentVersionFromLive(message));
      },
    });
  }

  /** Milliseconds since the host was heard; undefined when it never was. */
  silenceMs(hostId: string): number | undefined {
    const heardAtMs = this.#heardAtMs.get(hostId);
    return heardAtMs === undefined ? undefined : this.#clock.monotonicMs() - heardAtMs;
  }

  /** Version of the agent that was heard last; undefined when none was. */
  agentVersionOf(hostId: string): string | undefined {
    return this.#agentVersions.get(hostId);
  }

  /** Milliseconds for which it has been listening. */
  get listeningMs(): number {
    return this.#clock.monotonicMs() - this.#sinceMs;
  }

  stop(): void {
    this.#subscription.unsubscribe();
  }

  #heard(hostId: string, agentVersion: string | undefined): void {
    this.#heardAtMs.set(hostId, this.#clock.monotonicMs());
    if (agentVersion !== undefined) this.#agentVersions.set(hostId, agentVersion);
  }
}
