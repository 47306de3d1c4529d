import type { Clock } from "./clock.ts";
import { formatUlid, Ids } from "./ids.ts";

/** Identifiers for simulations: the same seed gives the same ids (mulberry32, public domain). */
export class SeededIds extends Ids {
  readonly #clock: Clock;
  #state: number;

  constructor(clock: Clock, seed: number) {
    super();
    this.#clock = clock;
    this.#state = seed | 0;
  }

  override ulid(): string {
    return formatUlid(this.#clock.nowMs(), this.#bytes(10));
  }
  override machineId(): string {
    return this.randomHex(7);
  }
  override randomHex(bytes: number): string {
    return Buffer.from(this.#bytes(bytes)).toString("hex");
  }
  override random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  #bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => Math.floor(this.random() * 256));
  }
}
