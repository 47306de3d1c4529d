import { createHash } from "node:crypto";
import { z } from "zod";
import type { CallMeta } from "#contracts";
import type { ControlCommands } from "#fleet";
import { type Clock, canonicalHash } from "#kernel";

/** The header `Idempotency-Key`, where one was sent. */
export const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, "1 to 255 printable characters")
  .optional();

/** After the first request with a key, repeats of it may still have to make it; hosts remember longer than this. */
const DRIVEN_FOR_MS = 300_000;

/** What a request makes, and the command that makes it. */
export interface Driven {
  readonly machineId?: string;
  readonly volumeId?: string;
  readonly commandId: string;
}

interface Keyed {
  readonly appName: string;
  /** Of the caller: the same key drives the same ids, however often. */
  readonly idempotencyKey: string | undefined;
}

/** Uses of `Idempotency-Key`s, in CONTROL. */
export class IdempotencyKeys {
  readonly #control: ControlCommands;
  readonly #clock: Clock;

  constructor(control: ControlCommands, clock: Clock) {
    this.#control = control;
    this.#clock = clock;
  }

  /**
   * The ids that drive this request: those of its key's first use, else `minted`. `isLate`: that was so long ago that what it
   * made may have been destroyed and forgotten since. Refused `invalid` when the key was another request's.
   */
  async claim(
    request: Keyed,
    minted: Driven,
    meta: CallMeta,
  ): Promise<{
    readonly machineId?: string | undefined;
    readonly volumeId?: string | undefined;
    readonly commandId: string;
    readonly isLate: boolean;
  }> {
    const { idempotencyKey, ...body } = request;
    if (idempotencyKey === undefined) return { ...minted, isLate: false };
    const scope = `${meta.actor}\n${request.appName}\n${idempotencyKey}`;
    const keyHash = createHash("sha256").update(scope).digest("hex");
    const requestHash = canonicalHash(body);
    const atMs = this.#clock.nowMs();
    const command = { type: "ClaimIdempotencyKey", keyHash, requestHash, ...minted, atMs } as const;
    const { state } = await this.#control.execute(command, meta);
    const claim = state.idempotencyKeys.get(keyHash);
    if (claim === undefined) return { ...minted, isLate: false };
    return { ...claim, isLate: atMs - claim.claimedAtMs > DRIVEN_FOR_MS };
  }
}
