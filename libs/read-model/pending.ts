import type { RecordedEvent } from "#contracts";
import type { QuarantinedEvent } from "#event-log";

/** What may wait to be written. One more log's worth of events that waited for a gap may come on top of it. */
const MOST = 2_000;

/** Events that were folded and are not written yet. Beyond its bound, whoever brings more has to wait (F12). */
export class Pending {
  #events: RecordedEvent[] = [];
  #quarantined: QuarantinedEvent[] = [];
  #room: PromiseWithResolvers<void> | undefined;
  #arrival: PromiseWithResolvers<void> | undefined;

  addEvent(event: RecordedEvent): void {
    this.#events.push(event);
    this.#added();
  }

  addQuarantined(event: QuarantinedEvent): void {
    this.#quarantined.push(event);
    this.#added();
  }

  /** Resolves when there is room again; undefined while there is. */
  room(): Promise<void> | undefined {
    return this.#room?.promise;
  }

  get isEmpty(): boolean {
    return this.#events.length + this.#quarantined.length === 0;
  }

  /** Resolves when something waits, or when `signal` fires. */
  async arrival(signal: AbortSignal): Promise<void> {
    if (!this.isEmpty || signal.aborted) return;
    const arrival = Promise.withResolvers<void>();
    this.#arrival = arrival;
    const wake = () => arrival.resolve();
    signal.addEventListener("abort", wake, { once: true });
    await arrival.promise;
    signal.removeEventListener("abort", wake);
  }

  /** Everything that waits, taken out. */
  take(): { readonly events: RecordedEvent[]; readonly quarantined: QuarantinedEvent[] } {
    const taken = { events: this.#events, quarantined: this.#quarantined };
    this.#events = [];
    this.#quarantined = [];
    this.#room?.resolve();
    this.#room = undefined;
    return taken;
  }

  #added(): void {
    this.#arrival?.resolve();
    this.#arrival = undefined;
    if (this.#events.length + this.#quarantined.length >= MOST) this.#room ??= Promise.withResolvers<void>();
  }
}
