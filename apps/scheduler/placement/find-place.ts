import type { CallMeta } from "#contracts";
import { type Clock, Deadline, type Refusal, type Result, refusal } from "#kernel";
import type { BesideVolume } from "./beside-volume.ts";
import { type ChooseHost, noHost, reservationMeta, said } from "./choose-host.ts";
import {
  type Decided,
  type Deciding,
  type HostRefusal,
  idOf,
  nameOf,
  neighbourOf,
  type Placed,
  type PlaceRequest,
} from "./deciding.ts";
import type { Hosts } from "./hosts.ts";
import type { Placements } from "./placements.ts";

/** Times that a placement is decided anew: its owner refused the commit, or somebody else decided first. */
const MAX_ROUNDS = 6;
/** Kept of the caller's time for the answer's way back. */
const WAY_BACK_MS = 250;

/** One create on its way to a host. */
interface Placing {
  readonly request: PlaceRequest;
  readonly meta: CallMeta;
  readonly deadline: Deadline;
  /** What hosts have said so far. */
  readonly refusals: HostRefusal[];
}

/**
 * Finds a host for a new machine or volume: bids, offer, decision in CONTROL, commit. The decision comes before the commit, by
 * compare-and-set, so that whatever is dropped or killed in between there is at most one owner; the same command
 * driven again finds it and commits to the same host (I2, I3).
 */
export class FindPlace {
  readonly #choose: ChooseHost;
  readonly #beside: BesideVolume;
  readonly #hosts: Hosts;
  readonly #placements: Placements;
  readonly #clock: Clock;
  /** By command id. */
  readonly #underWay = new Map<string, Promise<Result<Placed>>>();

  constructor(choose: ChooseHost, beside: BesideVolume, hosts: Hosts, placements: Placements, clock: Clock) {
    this.#choose = choose;
    this.#beside = beside;
    this.#hosts = hosts;
    this.#placements = placements;
    this.#clock = clock;
  }

  /** Who asks for what is under way already gets its result. */
  run<Q extends PlaceRequest>(request: Q, meta: CallMeta): Promise<Result<Placed<Q>>> {
    const { commandId, deadlineMs } = meta;
    const same = this.#underWay.get(commandId);
    // A command's id goes with one request.
    if (same !== undefined) return same as Promise<Result<Placed<Q>>>;
    const deadline = new Deadline(this.#clock, deadlineMs - WAY_BACK_MS);
    const placing = this.#place({ request, meta, deadline, refusals: [] });
    this.#underWay.set(commandId, placing);
    return placing.finally(() => this.#underWay.delete(commandId)) as Promise<Result<Placed<Q>>>;
  }

  async #place(placing: Placing): Promise<Result<Placed>> {
    const { request, refusals } = placing;
    let refusedBy: Decided | undefined;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const decision = await this.#decide(placing, refusedBy);
      if (decision === "contested") continue;
      if (decision.kind === "refused") return decision;
      const committed = await this.#commit(placing, decision.answer);
      if (committed.kind === "answer" || !isDefinite(committed.refusal)) return committed;
      // Only the owner's own "no" frees it for another host: never its silence.
      refusedBy = decision.answer;
      refusals.push(said(refusedBy.hostId, committed.refusal));
    }
    return { kind: "refused", refusal: noHost(request, refusals) };
  }

  /** The standing decision, or a new one after the last owner refused. "contested": somebody else decided meanwhile. */
  async #decide(
    { request, meta, deadline, refusals }: Placing,
    refusedBy: Decided | undefined,
  ): Promise<Result<Decided> | "contested"> {
    const standing = await this.#placements.of(idOf(request));
    if (standing?.hostId !== undefined && standing.epoch !== refusedBy?.epoch) {
      const { hostId, region = request.region, epoch } = standing;
      return { kind: "answer", answer: { hostId, region, epoch } };
    }
    const epoch = (standing?.epoch ?? 0) + 1;
    const ownerGone = refusedBy && { kind: "refused" as const, ...refusedBy };
    const deciding: Deciding = { request, epoch, refusals, ownerGone, meta };
    const neighbour = neighbourOf(request);
    const chosen = await (neighbour === undefined
      ? this.#choose.run(deciding, refusals, deadline)
      : this.#beside.run(neighbour, deciding, refusals, deadline));
    if (chosen.kind === "answer") {
      const decided = await this.#placements.decide(deciding, chosen.answer);
      if (!isContested(decided)) return decided;
      await this.#giveBack(deciding, chosen.answer.hostId);
      return "contested";
    }
    if (deadline.passed()) return { kind: "refused", refusal: outOfTime(request, chosen.refusal) };
    const noted = await this.#placements.refuse(deciding, chosen.refusal);
    return isContested(noted) ? "contested" : chosen;
  }

  /** Unless the one who decided chose the same host, and so has the same reservation. */
  async #giveBack(deciding: Deciding, hostId: string): Promise<void> {
    const standing = await this.#placements.of(idOf(deciding.request));
    if (standing?.hostId !== hostId) await this.#choose.release(hostId, deciding);
  }

  async #commit({ request, meta, deadline }: Placing, decided: Decided): Promise<Result<Placed>> {
    const { hostId, region, epoch } = decided;
    const commit = { ...request, region, epoch };
    const result = await this.#hosts.commit(hostId, commit, reservationMeta(meta, epoch), deadline);
    if (result.kind === "refused")
      return { kind: "refused", refusal: atHost(result.refusal, hostId, request) };
    return { kind: "answer", answer: { hostId, epoch, ...result.answer } };
  }
}

/** CONTROL holds another decision than the one that this was made from. */
function isContested(result: Result<unknown>): boolean {
  return result.kind === "refused" && ["stale_epoch", "busy"].includes(result.refusal.code);
}

/**
 * Whether the host wrote its "no" down and will stand by it: such a refusal names the epoch. After any other it may have
 * been made, or still be.
 */
function isDefinite(reason: Refusal): boolean {
  return typeof reason.details?.epoch === "number";
}

function outOfTime(request: PlaceRequest, last: Refusal): Refusal {
  const message = `no host could be asked to the end in time (${last.message}): repeat the request with the same Idempotency-Key`;
  return refusal("deadline_exceeded", message, { retryAfterMs: 1_000, details: idOf(request) });
}

function atHost(reason: Refusal, hostId: string, request: PlaceRequest): Refusal {
  if (isDefinite(reason)) return reason;
  const message = `host ${hostId} was chosen for ${nameOf(request)} and does not confirm (${reason.message}): repeat the request with the same Idempotency-Key`;
  return {
    ...reason,
    message,
    retryAfterMs: reason.retryAfterMs ?? 1_000,
    details: { hostId, ...idOf(request) },
  };
}
