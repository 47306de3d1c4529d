import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import { subjects } from "#contracts";
import { type HostState, stateFromLive } from "./live-message.ts";

/** What hosts say on the live feed of their own states. */
export class HostStates {
  readonly #subscription: Subscription;

  /** `told` must not throw. */
  constructor(nc: NatsConnection, told: (state: HostState) => void) {
    const prefix = subjects.live("");
    this.#subscription = nc.subscribe(subjects.live("*"), {
      callback: (error, message) => {
        const state =
          error === null ? stateFromLive(message.subject.slice(prefix.length), message) : undefined;
        if (state !== undefined) told(state);
      },
    });
  }

  stop(): void {
    this.#subscription.unsubscribe();
  }
}
