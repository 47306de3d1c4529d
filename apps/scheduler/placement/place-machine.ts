import { type CallMeta, resourcesOf } from "#contracts";
import { type Clock, Deadline, type Ids, type Refusal, type Result, refusal } from "#kernel";
import type { Decided, Deciding, HostRefusal, Placed, PlaceRequest } from "./deciding.ts";
import type { Hosts } from "./hosts.ts";
import type { Placements } from "./placements.ts";
import { type Candidate, rank } from "./rank.ts";

/** A host keeps an offered room for this long; it enforces that itself. */
const RESERVATION_TTL_MS = 10_000;
/** Hosts that are asked in turn before the create is refused. */
const MAX_OFFERS = 8;
/** Times that a placement is decided anew because its owner refused the commit. */
const MAX_EPOCHS = 4;

/**
 * Finds a host for a new machine: bids, offer, decision in CONTROL, commit. The decision comes before the commit, by
 * compare-and-set, so that whatever is dropped or killed in between there is at most one owner; the same command
 * driven again finds it and commits to the same host (I2, I3).
 */
export class PlaceMachine {
  readonly #hosts: Hosts;
  readonly #placements: Placements;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(hosts: Hosts, placements: Placements, clock: Clock, ids: Ids) {
    this.#hosts = hosts;
    this.#placements = placements;
    this.#clock = clock;
    this.#ids = ids;
  }

  async run(request: PlaceRequest, meta: CallMeta): Promise<Result<Placed>> {
    const deadline = new Deadline(this.#clock, meta.deadlineMs);
    const refusals: HostRefusal[] = [];
    let refusedBy: Decided | undefined;
    for (let round = 0; round < MAX_EPOCHS; round += 1) {
      const decision = await this.#decide(request, meta, deadline, refusals, refusedBy);
      if (decision.kind === "refused") return decision;
      const committed = await this.#commit(request, decision.answer, meta, deadline);
      if (committed.kind === "answer" || !isDefinite(committed.refusal)) return committed;
      // Only the owner's own "no" frees the machine for another host: never its silence.
      refusedBy = decision.answer;
      refusals.push({ hostId: refusedBy.hostId, ...codeAndMessage(committed.refusal) });
    }
    return { kind: "refused", refusal: noCapacity(request, refusals) };
  }

  /** The standing decision, or a new one after the last owner refused. */
  async #decide(
    request: PlaceRequest,
    meta: CallMeta,
    deadline: Deadline,
    refusals: HostRefusal[],
    refusedBy: Decided | undefined,
  ): Promise<Result<Decided>> {
    const standing = await this.#placements.of(request.machineId);
    if (standing?.hostId !== undefined && standing.epoch !== refusedBy?.epoch) {
      return { kind: "answer", answer: { hostId: standing.hostId, epoch: standing.epoch } };
    }
    const epoch = (standing?.epoch ?? 0) + 1;
    const ownerGone = refusedBy && { kind: "refused" as const, ...refusedBy };
    const deciding: Deciding = { request, epoch, refusals, ownerGone, meta };
    const candidates = await this.#candidates(request, meta, refusals);
    const chosen = await this.#reserve(deciding, candidates, deadline, refusals);
    if (chosen !== undefined) return this.#placements.decide(deciding, chosen.hostId, candidates);
    const reason = noCapacity(request, refusals);
    await this.#placements.refuse(deciding, reason);
    return { kind: "refused", refusal: reason };
  }

  async #candidates(request: PlaceRequest, meta: CallMeta, refusals: HostRefusal[]): Promise<Candidate[]> {
    const wanted = wantedOf(request);
    const expected = this.#placements.hostsIn(request.region).length;
    const bids = await this.#hosts.bids(request.region, wanted, meta, expected);
    for (const bid of bids) {
      if (bid.kind === "no-bid") refusals.push({ hostId: bid.hostId, ...codeAndMessage(bid.refusal) });
    }
    const willing = bids.filter((bid) => bid.kind === "bid");
    return rank(willing, wanted.resources, () => this.#ids.random());
  }

  /** The first candidate that really reserves the room: a bid promised nothing (I3). */
  async #reserve(
    { request, epoch, meta }: Deciding,
    candidates: readonly Candidate[],
    deadline: Deadline,
    refusals: HostRefusal[],
  ): Promise<Candidate | undefined> {
    for (const candidate of candidates.slice(0, MAX_OFFERS)) {
      const offer = { ...wantedOf(request), epoch, ttlMs: RESERVATION_TTL_MS };
      // A host that is silent for as long as a reservation lives holds none any more: the next one may be asked.
      const patience = new Deadline(this.#clock, Math.min(RESERVATION_TTL_MS, deadline.remainingMs()));
      const result = await this.#hosts.offer(candidate.hostId, offer, reservationMeta(meta, epoch), patience);
      if (result.kind === "answer") return candidate;
      refusals.push({ hostId: candidate.hostId, ...codeAndMessage(result.refusal) });
      if (deadline.passed()) return undefined;
    }
    return undefined;
  }

  async #commit(
    request: PlaceRequest,
    decided: Decided,
    meta: CallMeta,
    deadline: Deadline,
  ): Promise<Result<Placed>> {
    const { hostId, epoch } = decided;
    const commit = { ...request, epoch };
    const result = await this.#hosts.commit(hostId, commit, reservationMeta(meta, epoch), deadline);
    if (result.kind === "refused")
      return { kind: "refused", refusal: atHost(result.refusal, hostId, request) };
    return { kind: "answer", answer: { hostId, epoch, ...result.answer } };
  }
}

/** A reservation belongs to one epoch of one command, so that a late message of an earlier epoch finds none. */
function reservationMeta(meta: CallMeta, epoch: number): CallMeta {
  return { ...meta, commandId: `${meta.commandId}-${epoch}` };
}

function wantedOf(request: PlaceRequest) {
  const { machineId, appName, config } = request;
  return { machineId, appName, resources: resourcesOf(config), ports: config.publish ?? [] };
}

/**
 * Whether the host wrote its "no" down and will stand by it: such a refusal names the epoch. After any other the machine
 * may have been made, or still be.
 */
function isDefinite(reason: Refusal): boolean {
  return typeof reason.details?.epoch === "number";
}

function atHost(reason: Refusal, hostId: string, request: PlaceRequest): Refusal {
  if (isDefinite(reason)) return reason;
  const message = `host ${hostId} was chosen and does not confirm (${reason.message}): repeat the request with the same Idempotency-Key`;
  const details = { hostId, machineId: request.machineId };
  return { ...reason, message, retryAfterMs: reason.retryAfterMs ?? 1_000, details };
}

function codeAndMessage(reason: { readonly code: string; readonly message: string }) {
  return { code: reason.code, message: reason.message };
}

/** F09: says what each host said, not one guess for all. */
function noCapacity(request: PlaceRequest, refusals: readonly HostRefusal[]): Refusal {
  const said =
    refusals.length === 0
      ? `no host of region ${request.region} answered`
      : refusals.map((reason) => `${reason.hostId}: ${reason.message}`).join("; ");
  const ports = refusals.length > 0 && refusals.every((reason) => reason.code === "port_taken");
  const code = ports ? "port_taken" : "insufficient_capacity";
  return refusal(code, `no host takes the machine: ${said}`, {
    retryAfterMs: 5_000,
    details: { region: request.region, hosts: refusals },
  });
}
