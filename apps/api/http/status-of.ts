import type { Refusal, RefusalCode } from "#kernel";

/** The HTTP status that a refusal travels as. Clients switch on the body's `status`, which is the code itself. */
const STATUS_OF: Readonly<Record<RefusalCode, number>> = {
  not_found: 404,
  already_exists: 409,
  name_taken: 409,
  invalid: 400,
  wrong_state: 412,
  busy: 409,
  quarantined: 503,
  version_mismatch: 412,
  insufficient_capacity: 422,
  port_taken: 409,
  cordoned: 409,
  reservation_expired: 409,
  stale_epoch: 409,
  unsupported: 501,
  deadline_exceeded: 408,
  unreachable: 503,
  unauthorized: 401,
  forbidden: 403,
  rate_limited: 429,
  volume_not_found: 404,
  volume_in_use: 409,
  storage_suspect: 503,
  image_not_found: 422,
  image_invalid: 422,
  disk_full: 507,
  cancelled: 409,
  effect_failed: 500,
};

/** HTTP status of a refusal. Where a volume leaves no choice of a host, Fly's clients expect 412 for want of room. */
export function statusOf({ code, details }: Pick<Refusal, "code" | "details">): number {
  const isBesideVolume = code === "insufficient_capacity" && details?.volumeId !== undefined;
  return isBesideVolume ? 412 : STATUS_OF[code];
}
