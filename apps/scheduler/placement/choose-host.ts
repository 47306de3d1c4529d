import { Slots } from "#bus";
import { type CallMeta, regionsOf } from "#contracts";
import { type Bid, type BidAnswer, type Candidate, rank } from "#control";
import {
  type Clock,
  Deadline,
  type Ids,
  type Refusal,
  type RefusalCode,
  type Result,
  refusal,
} from "#kernel";
import {
  type Deciding,
  type HostRefusal,
  isOfVolume,
  type PlaceRequest,
  wantedOf,
  wishOf,
} from "./deciding.ts";
import type { Hosts } from "./hosts.ts";
import { OffersUnderWay } from "./offers-under-way.ts";

/** Bids are collected for this long; whoever is slower is not asked this time. */
const BID_WINDOW_MS = 50;
/**
 * Hosts are asked for so many at once, the others wait their turn: a hundred creates that ask in one moment hear
 * only the fastest host before their windows are over, and all go there.
 */
const ASKED_AT_ONCE = 8;
/** So many willing hosts are choice enough: nobody waits for the rest of a large region. */
const FIRST_BIDS = 16;
/** Before a create is refused for want of hosts, those that are merely slow are heard. */
const LAST_BID_WINDOW_MS = 1_000;
/** And those that are being restarted. */
const PATIENCE_MS = 3_000;
const PAUSE_MS = 200;
/** A host keeps an offered room for this long; it enforces that itself. */
export const RESERVATION_TTL_MS = 10_000;
/** Hosts that are asked in turn, per region and window of bids. */
const MAX_OFFERS = 8;

const SILENT = { code: "unreachable", message: "it did not answer" };

/** A host that has set room aside, and whom it was chosen from. */
export interface Chosen {
  readonly hostId: string;
  readonly region: string;
  readonly candidates: readonly Candidate[];
}

/** One search for a host. */
interface Search {
  readonly deciding: Deciding;
  /** What hosts said no with so far. */
  readonly heard: Map<string, HostRefusal>;
  readonly deadline: Deadline;
}

/** Finds a host that would take a machine or a volume and has it set the room aside: bids, then offers, best first. */
export class ChooseHost {
  readonly #hosts: Hosts;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #underWay: OffersUnderWay;
  readonly #turns = new Slots(ASKED_AT_ONCE, Number.POSITIVE_INFINITY);

  constructor(hosts: Hosts, clock: Clock, ids: Ids) {
    this.#hosts = hosts;
    this.#clock = clock;
    this.#ids = ids;
    this.#underWay = new OffersUnderWay(clock);
  }

  /** Tries the regions in the order in which they are wanted. Adds each host's own no to `refusals`, and who said nothing (F09). */
  async run(deciding: Deciding, refusals: HostRefusal[], deadline: Deadline): Promise<Result<Chosen>> {
    const regions = regionsOf(deciding.request.region, this.#hosts.regions());
    const expected = regions.flatMap((region) => this.#hosts.registeredIn(region));
    const heard = new Map<string, HostRefusal>();
    const patience = new Deadline(this.#clock, Math.min(PATIENCE_MS, deadline.remainingMs()));
    for (let windowMs = BID_WINDOW_MS; ; windowMs = LAST_BID_WINDOW_MS) {
      for (const region of regions) {
        const chosen = await this.#inRegion(region, { deciding, heard, deadline }, windowMs);
        if (chosen !== undefined) {
          refusals.push(...heard.values());
          return { kind: "answer", answer: chosen };
        }
      }
      const silent = expected.filter((hostId) => !heard.has(hostId));
      if (silent.length === 0 || patience.passed() || deadline.passed()) {
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

  /** Offers it to the willing hosts of one region until one of them sets the room aside. */
  async #inRegion(region: string, search: Search, windowMs: number): Promise<Chosen | undefined> {
    const { deciding, heard, deadline } = search;
    const willing = await this.#willing(region, search, windowMs);
    for (let offers = 0; offers < MAX_OFFERS && willing.size > 0 && !deadline.passed(); offers += 1) {
      // Ranked again for each offer: others have been made meanwhile.
      const candidates = this.#ranked([...willing.values()], deciding);
      const [{ hostId }] = candidates as [Candidate];
      const reserved = await this.#reserve(deciding, hostId, deadline);
      if (reserved.kind === "answer") return { hostId, region, candidates };
      heard.set(hostId, said(hostId, reserved.refusal));
      willing.delete(hostId);
    }
    return undefined;
  }

  /** Who would take it and has not refused yet, by host. `heard` takes in who would not. */
  async #willing(region: string, { deciding, heard }: Search, windowMs: number): Promise<Map<string, Bid>> {
    const { request, meta } = deciding;
    const expected = this.#hosts.registeredIn(region).length;
    const most = windowMs === LAST_BID_WINDOW_MS ? 1 : FIRST_BIDS;
    const isNew = (bid: BidAnswer): bid is Bid => bid.kind === "bid" && !heard.has(bid.hostId);
    const isEnough = (bids: readonly BidAnswer[]) =>
      (expected > 0 && bids.length >= expected) || bids.filter(isNew).length >= most;
    const ask = () => this.#hosts.bids(region, wantedOf(request), meta, windowMs, isEnough);
    // Who has to wait for the silent keeps nobody else waiting.
    const bids = await (windowMs === LAST_BID_WINDOW_MS ? ask() : this.#inTurn(ask));
    for (const bid of bids) {
      if (bid.kind === "no-bid") heard.set(bid.hostId, said(bid.hostId, bid.refusal));
    }
    return new Map(bids.filter(isNew).map((bid) => [bid.hostId, bid]));
  }

  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    return new Promise((done, fail) => this.#turns.run(() => ask().then(done, fail)));
  }

  #ranked(bids: readonly Bid[], { request }: Deciding): Candidate[] {
    const { resources, appName } = wantedOf(request);
    const expected = bids.map((bid) => this.#underWay.deduct(bid, appName));
    return rank(expected, { resources, ...wishOf(request) }, () => this.#ids.random());
  }

  /** A bid promised nothing (I3): only what the host writes down counts. */
  async #reserve({ request, epoch, meta }: Deciding, hostId: string, deadline: Deadline) {
    const wanted = wantedOf(request);
    const answered = this.#underWay.begin(hostId, wanted);
    // A host that is silent for as long as a reservation lives holds none any more: the next one may be asked.
    const patience = new Deadline(this.#clock, Math.min(RESERVATION_TTL_MS, deadline.remainingMs()));
    const offer = { ...wanted, epoch, ttlMs: RESERVATION_TTL_MS };
    return this.#hosts.offer(hostId, offer, reservationMeta(meta, epoch), patience).finally(answered);
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
  const { region } = request;
  const reasons = refusals.length === 0 ? `region ${region} has no hosts` : refusals.map(inWords).join("; ");
  const what = isOfVolume(request) ? "volume" : "machine";
  return refusal(codeOf(refusals), `no host takes the ${what}: ${reasons}`, {
    retryAfterMs: 5_000,
    details: { region, hosts: refusals },
  });
}

/** Most say themselves who they are. */
function inWords({ hostId, message }: HostRefusal): string {
  return message.startsWith(`host ${hostId} `) ? message : `host ${hostId}: ${message}`;
}

/** There is no room only where every host says so; of one that is away, nobody knows. */
function codeOf(refusals: readonly HostRefusal[]): RefusalCode {
  const codes = new Set(refusals.map(({ code }) => code));
  if (codes.has("unreachable") || codes.has("deadline_exceeded")) return "unreachable";
  const ofCaller = (["port_taken", "invalid"] as const).find((code) => codes.has(code));
  return codes.size === 1 && ofCaller !== undefined ? ofCaller : "insufficient_capacity";
}
