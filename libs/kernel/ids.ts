import { randomBytes } from "node:crypto";
import type { Clock } from "./clock.ts";

/** Crockford's base 32, as ULIDs use it (https://github.com/ulid/spec). */
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Identifiers as a port: deciders receive them as data, simulations seed them. */
export abstract class Ids {
  /** A ULID: 26 characters, sortable by creation time. For events, commands, operations, logs and versions. */
  abstract ulid(): string;
  /** A machine id in the form Fly's clients expect: 14 lowercase hex digits. Never used twice. */
  abstract machineId(): string;
  /** `bytes` of randomness as lowercase hex: secrets and tokens. */
  abstract randomHex(bytes: number): string;
  /** A number in [0, 1), for jitter and random choice. */
  abstract random(): number;
}

/** Random bytes fetched at a time: each fetch is a system call, and an event takes two ids. */
const POOL_BYTES = 4_096;

/** Identifiers from the machine's clock and its cryptographic random source. */
export class SystemIds extends Ids {
  readonly #clock: Clock;
  #pool: Buffer = Buffer.alloc(0);

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
  }

  override ulid(): string {
    return formatUlid(this.#clock.nowMs(), this.#bytes(10));
  }
  override machineId(): string {
    return this.randomHex(7);
  }
  override randomHex(bytes: number): string {
    return this.#bytes(bytes).toString("hex");
  }
  override random(): number {
    return this.#bytes(4).readUInt32BE() / 2 ** 32;
  }

  #bytes(count: number): Buffer {
    if (this.#pool.length < count) this.#pool = randomBytes(Math.max(count, POOL_BYTES));
    const bytes = this.#pool.subarray(0, count);
    this.#pool = this.#pool.subarray(count);
    return bytes;
  }
}

/** Formats a ULID from milliseconds since the Unix epoch and 10 bytes of entropy. */
export function formatUlid(milliseconds: number, entropy: Uint8Array): string {
  const bytes = Buffer.from(entropy.buffer, entropy.byteOffset, entropy.byteLength);
  return base32(milliseconds, 10) + base32(bytes.readUIntBE(0, 5), 8) + base32(bytes.readUIntBE(5, 5), 8);
}

/** When a ULID was made, in milliseconds since the Unix epoch, by the clock of whoever made it. */
export function ulidMsOf(ulid: string): number {
  let milliseconds = 0;
  for (const digit of ulid.slice(0, 10)) milliseconds = milliseconds * 32 + CROCKFORD.indexOf(digit);
  return milliseconds;
}

function base32(value: number, digits: number): string {
  let text = "";
  for (let rest = value, i = 0; i < digits; i += 1, rest = Math.floor(rest / 32)) {
    text = CROCKFORD.charAt(rest % 32) + text;
  }
  return text;
}
