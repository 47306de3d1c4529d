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

/** Identifiers from the machine's clock and its cryptographic random source. */
export class SystemIds extends Ids {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
  }

  override ulid(): string {
    return formatUlid(this.#clock.nowMs(), randomBytes(10));
  }
  override machineId(): string {
    return this.randomHex(7);
  }
  override randomHex(bytes: number): string {
    return randomBytes(bytes).toString("hex");
  }
  override random(): number {
    return randomBytes(4).readUInt32BE() / 2 ** 32;
  }
}

/** Formats a ULID from milliseconds since the Unix epoch and 10 bytes of entropy. */
export function formatUlid(milliseconds: number, entropy: Uint8Array): string {
  let time = "";
  for (let rest = milliseconds, i = 0; i < 10; i += 1, rest = Math.floor(rest / 32)) {
    time = CROCKFORD.charAt(rest % 32) + time;
  }
  let bits = 0n;
  for (const byte of entropy) bits = (bits << 8n) | BigInt(byte);
  let random = "";
  for (let i = 0; i < 16; i += 1, bits >>= 5n) random = CROCKFORD.charAt(Number(bits & 31n)) + random;
  return time + random;
}
