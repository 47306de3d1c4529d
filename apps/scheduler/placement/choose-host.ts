import { type CallMeta, resourcesOf } from "#contracts";
import { type Clock, Deadline, type Ids, type Refusal, type Result, refusal } from "#kernel";
import type { Deciding, HostRefusal, PlaceRequest } from "./deciding.ts";
import type { Hosts } from "./hosts.ts";
import { type Candidate, rank } from "./rank.ts";

/** A host keeps an offered room for this long; it enforces that itself. */
const RESERVATION_TTL_MS = 10_000;
/** Hosts that are asked in turn before the create is refused. */
const MAX_OFFERS = 8;

/** A host that has set room aside, and whom it was chosen from. */
export interface Chosen {
  readonly hostId: string;
  readonly candidates: readonly Candidate[];
}

/** Finds a host that would take a machine and has it set the room aside: bids, then offers, best first. */
export class ChooseHost {
  readonly #hosts: Hosts;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(hosts: Hosts, clock: Clock, ids: Ids) {
    this.#hosts = hosts;
    this.#clock = clock;
    this.#ids = ids;
  }

  /** `expected`: how many hosts there are to answer. Adds each host's own no to `refusals` (F09). */
  async run(
    deciding: Deciding,
    refusals: HostRefusal[],
    expected: number,
    deadline: Deadline,
  ): Promise<Result<Chosen>> {
    const candidates = await this.#candidates(deciding, refusals, expected);
    for (const { hostId } of candidates.slice(0, MAX_OFFERS)) {
      const reserved = await this.#reserve(deciding, hostId, deadline);
      if (reserved.kind === "answer") return { kind: "answer", answer: { hostId, candidates } };
      refusals.push(said(hostId, reserved.refusal));
      if (deadline.passed()) return { kind: "refused", refusal: reserved.refusal };
    }
    return { kind: "refused", refusal: noCapacity(deciding.request, refusals) };
  }

  /** Gives room back early. Nothing depends on it: the host lets a reservation expire by itself. */
  async release(hostId: string, { meta, epoch }: Deciding): Promise<void> {
    const reservation = reservationMeta(meta, epoch);
    await this.#hosts.release(hostId, reservation.commandId, reservation);
  }

  async #candidates(
    { request, meta }: Deciding,
    refusals: HostRefusal[],
    expected: number,
  ): Promise<Candidate[]> {
    const wanted = wantedOf(request);
    const bids = await this.#hosts.bids(request.region, wanted, meta, expected);
    for (const bid of bids) {
      if (bid.kind === "no-bid") refusals.push(said(bid.hostId, bid.refusal));
    }
    const willing = bids.filter((bid) => bid.kind === "bid");
    return rank(willing, wanted.resources, () => this.#ids.random());
  }

  /** A bid promised nothing (I3): only what the host writes down counts. */
  async #reserve({ request, epoch, meta }: Deciding, hostId: string, deadline: Deadline) {
    const offer = { ...wantedOf(request), epoch, ttlMs: RESERVATION_TTL_MS };
    // A host that is silent for as long as a reservation lives holds none any more: the next one may be asked.
    const patience = new Deadline(this.#clock, Math.min(RESERVATION_TTL_MS, deadline.remainingMs()));
    return this.#hosts.offer(hostId, offer, reservationMeta(meta, epoch), patience);
  }
}

/** A reservation belongs to one epoch of one command, so that a late message of an earlier epoch finds none. */
export function reservationMeta(meta: CallMeta, epoch: number): CallMeta {
  return { ...meta, commandId: `${meta.commandId}-${epoch}` };
}

/** What one host said no with. */
export function said(hostId: string, { code, message }: { code: string; message: string }): HostRefusal {
  return { hostId, code, message };
}

/** F09: says what each host said, not one guess for all. */
export function noCapacity(request: PlaceRequest, refusals: readonly HostRefusal[]): Refusal {
  const reasons =
    refusals.length === 0
      ? `no host of region ${request.region} answered`
      : refusals.map((reason) => `${reason.hostId}: ${reason.message}`).join("; ");
  const ports = refusals.length > 0 && refusals.every((reason) => reason.code === "port_taken");
  const code = ports ? "port_taken" : "insufficient_capacity";
  return refusal(code, `no host takes the machine: ${reasons}`, {
    retryAfterMs: 5_000,
    details: { region: request.region, hosts: refusals },
  });
}

function wantedOf(request: PlaceRequest) {
  const { machineId, appName, config } = request;
  return { machineId, appName, resources: resourcesOf(config), ports: config.publish ?? [] };
}
