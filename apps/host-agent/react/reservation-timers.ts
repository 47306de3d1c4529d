import type { HostLogEvent, RecordedEvent } from "#contracts";
import type { Clock } from "#kernel";
import type { Decisions } from "../decisions.ts";

/** Events by which reservations come and go. */
const CHANGES: ReadonlySet<string> = new Set([
  "ReservationMade",
  "ReservationEnded",
  "MachineCreating",
  "VolumeCreating",
  "CommitRefused",
]);

/**
 * Ends reservations whose time is up: the host itself keeps its promise's end, on the monotonic clock (F20). After a
 * restart the time begins anew: longer than promised is safe, shorter would not be.
 */
export class ReservationTimers {
  readonly #decisions: Decisions;
  readonly #clock: Clock;
  readonly #onTrouble: (thrown: unknown) => void;
  readonly #running = new Map<string, AbortController>();

  constructor(decisions: Decisions, clock: Clock, onTrouble: (thrown: unknown) => void) {
    this.#decisions = decisions;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
  }

  /** Follows the log: a promise begins, is kept, or ends. */
  onEvent({ type }: RecordedEvent<HostLogEvent>): void {
    if (CHANGES.has(type)) this.align();
  }

  /** Makes sure that every reservation has its timer, and none is left of those that ended. */
  align(): void {
    const { reservations } = this.#decisions.host;
    for (const id of [...this.#running.keys()]) if (!reservations.has(id)) this.#disarm(id);
    for (const { id, ttlMs } of reservations.values()) if (!this.#running.has(id)) this.#start(id, ttlMs);
  }

  stop(): void {
    for (const id of [...this.#running.keys()]) this.#disarm(id);
  }

  #start(reservationId: string, ttlMs: number): void {
    const timer = new AbortController();
    this.#running.set(reservationId, timer);
    this.#clock.sleep(ttlMs, timer.signal).then(
      () => this.#expire(reservationId),
      () => {},
    );
  }

  #disarm(reservationId: string): void {
    this.#running.get(reservationId)?.abort("ended");
    this.#running.delete(reservationId);
  }

  #expire(reservationId: string): void {
    this.#running.delete(reservationId);
    const cause = { causationId: reservationId, correlationId: reservationId };
    this.#decisions
      .own({ type: "EndReservation", reservationId, reason: "expired" }, cause)
      .catch(this.#onTrouble);
  }
}
