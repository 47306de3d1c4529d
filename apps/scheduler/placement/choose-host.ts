import { type CallMeta, resourcesOf } from "#contracts";
import {
  type Clock,
  Deadline,
  type Ids,
  type Refusal,
  type RefusalCode,
  type Result,
  refusal,
} from "#kernel";
import type { Deciding, HostRefusal, PlaceRequest } from "./deciding.ts";
import type { Hosts } from "./hosts.ts";
import { type BidAnswer, type Candidate, rank } from "./rank.ts";

/** Bids are collected for this long; whoever is slower is not asked for this machine. */
const BID_WINDOW_MS = 50;
/** Before a create is refused for want of hosts, those that are merely slow are heard. */
const LAST_BID_WINDOW_MS = 1_000;
/** And those that are being restarted. */
const PATIENCE_MS = 3_000;
const PAUSE_MS = 200;
/** A host keeps an offered room for this long; it enforces that itself. */
const RESERVATION_TTL_MS = 10_000;
/** Hosts that are asked in turn before the create is refused. */
const MAX_OFFERS = 8;

const SILENT = { code: "unreachable", message: "it did not answer" };

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

  /** `expected`: the hosts that should answer. Adds each host's own no to `refusals`, and who said nothing (F09). */
  async run(
    deciding: Deciding,
    refusals: HostRefusal[],
    expected: readonly string[],
    deadline: Deadline,
  ): Promise<Result<Chosen>> {
    const heard = new Map<string, HostRefusal>();
    const patience = new Deadline(this.#clock, Math.min(PATIENCE_MS, deadline.remainingMs()));
    for (let windowMs = BID_WINDOW_MS; ; windowMs = LAST_BID_WINDOW_MS) {
      const candidates = await this.#candidates(deciding, heard, expected, windowMs);
      for (const { hostId } of candidates.slice(0, MAX_OFFERS)) {
        const reserved = await this.#reserve(deciding, hostId, deadline);
        if (reserved.kind === "answer") {
          refusals.push(...heard.values());
          return { kind: "answer", answer: { hostId, candidates } };
        }
        heard.set(hostId, said(hostId, reserved.refusal));
        if (deadline.passed()) return { kind: "refused", refusal: reserved.refusal };
      }
      const silent = expected.filter((hostId) => !heard.has(hostId));
      if (silent.length === 0 || patience.passed()) {
        refusals.push(...heard.values(), ...silent.map((hostId) => said(hostId, SILENT)));
        return { kind: "refused", refusal: noHost(deciding.request, refusals) };
      }
      if (windowMs === LAST_BID_WINDOW_MS) await this.#clock.sleep(PAUSE_MS);
    }
  }

  /** Gives room back early. Nothing depends on it: the host lets a reservation expire by itself. */
  async release(hostId: string, { meta, epoch }: Deciding): Promise<void> {
    const reservation = reservationMeta(meta, epoch);
    await this.#hosts.release(hostId, reservation.commandId, reservation);
  }

  /** Who would take it and has not refused yet, best first. `heard` takes in who would not. */
  async #candidates(
    { request, meta }: Deciding,
    heard: Map<string, HostRefusal>,
    expected: readonly string[],
    windowMs: number,
  ): Promise<Candidate[]> {
    const wanted = wantedOf(request);
    const isNew = (bid: BidAnswer) => bid.kind === "bid" && !heard.has(bid.hostId);
    const isLast = windowMs === LAST_BID_WINDOW_MS;
    const isEnough = (bids: readonly BidAnswer[]) =>
      (expected.length > 0 && bids.length >= expected.length) || (isLast && bids.some(isNew));
    const bids = await this.#hosts.bids(request.region, wanted, meta, windowMs, isEnough);
    for (const bid of bids) {
      if (bid.kind === "no-bid") heard.set(bid.hostId, said(bid.hostId, bid.refusal));
    }
    const willing = bids.filter((bid) => bid.kind === "bid").filter(isNew);
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
export function noHost(request: PlaceRequest, refusals: readonly HostRefusal[]): Refusal {
  const reasons =
    refusals.length === 0
      ? `region ${request.region} has no hosts`
      : refusals.map((reason) => `${reason.hostId}: ${reason.message}`).join("; ");
  return refusal(codeOf(refusals), `no host takes the machine: ${reasons}`, {
    retryAfterMs: 5_000,
    details: { region: request.region, hosts: refusals },
  });
}

/** There is no room only where every host says so; of one that is away, nobody knows. */
function codeOf(refusals: readonly HostRefusal[]): RefusalCode {
  const codes = new Set(refusals.map(({ code }) => code));
  if (codes.has("unreachable") || codes.has("deadline_exceeded")) return "unreachable";
  return codes.size === 1 && codes.has("port_taken") ? "port_taken" : "insufficient_capacity";
}

function wantedOf(request: PlaceRequest) {
  const { machineId, appName, config } = request;
  return { machineId, appName, resources: resourcesOf(config), ports: config.publish ?? [] };
}
