import { isUnreachable } from "#bus";
import { regionsOf } from "#contracts";
import { type Clock, Deadline, type Refusal, type Result, refusal } from "#kernel";
import { type Chosen, RESERVATION_TTL_MS, reservationMeta, said } from "./choose-host.ts";
import { type Deciding, type HostRefusal, nameOf, wantedOf } from "./deciding.ts";
import type { Hosts } from "./hosts.ts";
import type { Placements } from "./placements.ts";

/** A host that is being restarted is back by then. Less than one try of the API, which would only ask again. */
const PATIENCE_MS = 3_000;

/**
 * Has a volume's host set room aside for what has to be beside it: the machine that mounts it, or a volume that begins with
 * it or a snapshot of it. No other host is asked, and what that one says is the answer.
 */
export class BesideVolume {
  readonly #hosts: Hosts;
  readonly #placements: Placements;
  readonly #clock: Clock;

  constructor(hosts: Hosts, placements: Placements, clock: Clock) {
    this.#hosts = hosts;
    this.#placements = placements;
    this.#clock = clock;
  }

  /** Adds the host's no to `refusals`. */
  async run(
    volumeId: string,
    deciding: Deciding,
    refusals: HostRefusal[],
    deadline: Deadline,
  ): Promise<Result<Chosen>> {
    const { request } = deciding;
    const { hostId, region = request.region } = (await this.#placements.of({ volumeId })) ?? {};
    if (hostId === undefined) return { kind: "refused", refusal: unknownVolume(volumeId) };
    if (!regionsOf(request.region, this.#hosts.regions()).includes(region)) {
      const message = `volume ${volumeId} is in region ${region}, not in ${request.region}: ask for ${region}`;
      return { kind: "refused", refusal: refusal("invalid", message, { details: { volumeId, region } }) };
    }
    const reserved = await this.#reserve(hostId, deciding, deadline);
    if (reserved.kind === "answer") return { kind: "answer", answer: { hostId, region, candidates: [] } };
    refusals.push(said(hostId, reserved.refusal));
    const reason = besideReason(volumeId, nameOf(request), hostId, reserved.refusal);
    const details = { ...reason.details, volumeId, region, hosts: refusals };
    return { kind: "refused", refusal: { ...reason, details } };
  }

  #reserve(hostId: string, { request, epoch, meta }: Deciding, deadline: Deadline) {
    const patience = new Deadline(this.#clock, Math.min(PATIENCE_MS, deadline.remainingMs()));
    const offer = { ...wantedOf(request), epoch, ttlMs: RESERVATION_TTL_MS };
    return this.#hosts.offer(hostId, offer, reservationMeta(meta, epoch), patience, isUnreachable);
  }
}

function unknownVolume(volumeId: string): Refusal {
  return refusal("volume_not_found", `no volume ${volumeId}: no host has it`, { details: { volumeId } });
}

function besideReason(volumeId: string, name: string, hostId: string, reason: Refusal): Refusal {
  const { code, message, retryAfterMs = 5_000 } = reason;
  if (code === "unreachable" || code === "deadline_exceeded") {
    const silence = `host ${hostId}, where volume ${volumeId} is, does not answer: ${name} has to wait for it`;
    return refusal("unreachable", silence, { retryAfterMs });
  }
  if (code !== "insufficient_capacity") return reason;
  return { ...reason, message: `no room beside volume ${volumeId}: ${message}`, retryAfterMs };
}
