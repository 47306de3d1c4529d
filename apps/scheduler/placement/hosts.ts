import { type BusClient, insist, isUnreachable } from "#bus";
import { type AnswerOf, bidCall, type CallMeta, hostCalls, type RequestOf, subjects } from "#contracts";
import type { BidAnswer } from "#control";
import type { RegisteredHost } from "#event-log";
import type { Clock, Deadline, Refusal, Result } from "#kernel";

/** One try of an offer or a commit. */
const TRY_MS = 1_000;

type Wanted = RequestOf<typeof bidCall>;
type Offer = RequestOf<typeof hostCalls.offer>;
type Commit = RequestOf<typeof hostCalls.commit> | RequestOf<typeof hostCalls.commitVolume>;
type Committed = AnswerOf<typeof hostCalls.commit> | AnswerOf<typeof hostCalls.commitVolume>;

/** What the scheduler asks hosts. It holds no picture of them: each answer is the host's own (I3). */
export class Hosts {
  readonly #bus: BusClient;
  readonly #registered: () => readonly RegisteredHost[];
  readonly #clock: Clock;

  /** `registered`: the hosts as last heard. Only how long answers are waited for depends on it. */
  constructor(bus: BusClient, registered: () => readonly RegisteredHost[], clock: Clock) {
    this.#bus = bus;
    this.#registered = registered;
    this.#clock = clock;
  }

  /** All regions that have hosts, sorted. */
  regions(): string[] {
    return [...new Set(this.#registered().map(({ region }) => region))].sort();
  }

  /** The region of a host, where that has registered. */
  regionOf(host: string): string | undefined {
    return this.#registered().find(({ hostId }) => hostId === host)?.region;
  }

  /** The hosts of a region that should answer. */
  registeredIn(region: string): string[] {
    return this.#registered().flatMap((host) => (host.region === region ? host.hostId : []));
  }

  /** Asks all hosts of a region, until `isEnough` says so or the window is over. */
  bids(
    region: string,
    wanted: Wanted,
    meta: CallMeta,
    windowMs: number,
    isEnough: (answers: readonly BidAnswer[]) => boolean,
  ): Promise<BidAnswer[]> {
    const windowed = { ...meta, deadlineMs: Math.min(meta.deadlineMs, windowMs) };
    return this.#bus.scatter(bidCall, subjects.bid(region), wanted, windowed, isEnough);
  }

  /**
   * Asks for a reservation until the host answers or `deadline` passes. A host that is not there has reserved nothing;
   * `isPassing`: whether to ask again all the same.
   */
  async offer(
    hostId: string,
    offer: Offer,
    meta: CallMeta,
    deadline: Deadline,
    isPassing: (reason: Refusal) => boolean = () => false,
  ) {
    const subject = subjects.hostCommand(hostId, "offer");
    const how = { clock: this.#clock, deadline, tryMs: TRY_MS, isPassing };
    return insist(
      (deadlineMs) => this.#bus.call(hostCalls.offer, subject, offer, { ...meta, deadlineMs }),
      how,
    );
  }

  /** Turns the reservation into what it is for; asks until the host, which owns it by now, answers or `deadline` passes. */
  async commit(
    hostId: string,
    commit: Commit,
    meta: CallMeta,
    deadline: Deadline,
  ): Promise<Result<Committed>> {
    const how = { clock: this.#clock, deadline, tryMs: TRY_MS, isPassing: isUnreachable };
    return insist<Committed>((deadlineMs) => this.#commit(hostId, commit, { ...meta, deadlineMs }), how);
  }

  #commit(hostId: string, commit: Commit, meta: CallMeta): Promise<Result<Committed>> {
    const { commitVolume, commit: commitMachine } = hostCalls;
    return "volumeId" in commit
      ? this.#bus.call(commitVolume, subjects.hostCommand(hostId, "commit-volume"), commit, meta)
      : this.#bus.call(commitMachine, subjects.hostCommand(hostId, "commit"), commit, meta);
  }

  /** Gives a reservation back early. Nothing depends on it: the host lets it expire by itself. */
  async release(hostId: string, reservationId: string, meta: CallMeta): Promise<void> {
    const subject = subjects.hostCommand(hostId, "release");
    await this.#bus.call(hostCalls.release, subject, { reservationId }, { ...meta, deadlineMs: TRY_MS });
  }
}
