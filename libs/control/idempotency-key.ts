import type { ControlEvent } from "#contracts";
import { accepted, type Decision, refusal, refused, UNCHANGED } from "#kernel";

/** A key is good for a day; afterwards it may be used for something else. */
export const IDEMPOTENCY_KEY_TTL_MS = 86_400_000;

/** The first use of an `Idempotency-Key`, and the ids that every repeat of that request drives. */
export interface IdempotencyKey {
  readonly keyHash: string;
  readonly requestHash: string;
  /** Of the machine that it makes, or of the volume. */
  readonly machineId?: string | undefined;
  readonly volumeId?: string | undefined;
  readonly commandId: string;
  readonly claimedAtMs: number;
}

export interface ClaimIdempotencyKey {
  readonly type: "ClaimIdempotencyKey";
  /** SHA-256 over caller and key: keys of different callers never meet. */
  readonly keyHash: string;
  readonly requestHash: string;
  /** Freshly minted; they only count when the key was not used before. */
  readonly machineId?: string;
  readonly volumeId?: string;
  readonly commandId: string;
  readonly atMs: number;
}

/** The claim that still counts at `atMs`; undefined when there is none, or it is older than a day. */
export function standingClaim(key: IdempotencyKey | undefined, atMs: number): IdempotencyKey | undefined {
  return key !== undefined && atMs < key.claimedAtMs + IDEMPOTENCY_KEY_TTL_MS ? key : undefined;
}

/** Unchanged means: go on with the ids of the standing claim, not with those of the command. */
export function decideClaimKey(
  command: ClaimIdempotencyKey,
  key: IdempotencyKey | undefined,
): Decision<ControlEvent> {
  const standing = standingClaim(key, command.atMs);
  if (standing === undefined) {
    const { type: _, atMs: claimedAtMs, ...claimed } = command;
    return accepted({ type: "IdempotencyKeyClaimed", data: { ...claimed, claimedAtMs } });
  }
  if (standing.requestHash === command.requestHash) return UNCHANGED;
  return refused(
    refusal("invalid", "this Idempotency-Key was used for a different request: send a new key", {
      details: idOf(standing),
    }),
  );
}

function idOf({ machineId, volumeId }: IdempotencyKey) {
  return volumeId === undefined ? { machineId } : { volumeId };
}
