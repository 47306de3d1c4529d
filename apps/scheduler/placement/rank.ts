import type { AnswerOf, bidCall, Resources } from "#contracts";

export type BidAnswer = AnswerOf<typeof bidCall>;
type Bid = Extract<BidAnswer, { kind: "bid" }>;

/** A host that would take the machine, with what its place in the order came from. */
export interface Candidate {
  readonly hostId: string;
  /** 0…1: the share of its scarcer resource that would stay free, less a penalty per machine of the same app. */
  readonly score: number;
  /** In [0, 1): breaks near-ties, so that concurrent creates do not all go for one host. */
  readonly random: number;
}

/** Each machine of the same app on a host makes that host this much less attractive. */
const SAME_APP_PENALTY = 0.1;
/** Candidates this close to the best count as equally good. */
const NEAR_TIE = 0.1;

/** Orders the bids, best first: spread by free capacity, near-ties at random. */
export function rank(bids: readonly Bid[], wanted: Resources, random: () => number): Candidate[] {
  const candidates = bids.map((bid) => ({
    hostId: bid.hostId,
    score: scoreOf(bid, wanted),
    random: random(),
  }));
  const best = Math.max(...candidates.map((candidate) => candidate.score));
  const isNear = (candidate: Candidate) => candidate.score >= best - NEAR_TIE;
  return candidates.sort((a, b) => {
    if (isNear(a) && isNear(b)) return a.random - b.random;
    return b.score - a.score || a.random - b.random;
  });
}

function scoreOf(bid: Bid, wanted: Resources): number {
  const cpu = share(bid.free.cpuMillis - wanted.cpuMillis, bid.capacity.cpuMillis);
  const memory = share(bid.free.memoryMib - wanted.memoryMib, bid.capacity.memoryMib);
  const free = Math.min(cpu, memory) - SAME_APP_PENALTY * bid.appMachineCount;
  return Math.round(Math.max(0, free) * 1000) / 1000;
}

function share(free: number, capacity: number): number {
  return capacity === 0 ? 0 : free / capacity;
}
