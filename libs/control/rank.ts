import type { AnswerOf, bidCall, PlacementRules, Resources } from "#contracts";

export type BidAnswer = AnswerOf<typeof bidCall>;
export type Bid = Extract<BidAnswer, { kind: "bid" }>;

/** A host that would take it, with all that its place in the order came from. */
export interface Candidate {
  readonly hostId: string;
  /** 0…1: how well it suits the policy, divided by the machines of the app once this one is there; or `NO_ROOM`. */
  readonly score: number;
  /** In [0, 1): decides among the best, so that concurrent creates do not all go for one host. */
  readonly random: number;
  readonly bid: Pick<Bid, "free" | "capacity" | "machineCount" | "appMachineCount">;
}

/** What a place is sought for. */
export interface Sought extends Omit<PlacementRules, "features"> {
  readonly resources: Resources;
}

/** Of a host that others will have filled by the time an offer reaches it. */
const NO_ROOM = -1;
/** Candidates whose score is at least this part of the best one's are equally good. Packing wants the best. */
export const AS_GOOD_AS_THE_BEST = { spread: 0.9, pack: 1 } as const;

/** A bid and the number that was drawn for it. */
export type DrawnBid = Omit<Candidate, "score">;

/** Orders the bids, best first, the best ones at random. `random`: one draw from [0, 1) per candidate. */
export function rank(bids: readonly Bid[], sought: Sought, random: () => number): Candidate[] {
  const drawn = bids.map(({ hostId, free, capacity, machineCount, appMachineCount }) => {
    const bid = { free, capacity, machineCount, appMachineCount };
    return { hostId, random: random(), bid };
  });
  return rankDrawn(drawn, sought);
}

/** Orders bids for which the numbers were drawn already: what a decision wrote down ranks the same at any later time. */
export function rankDrawn(drawn: readonly DrawnBid[], sought: Sought): Candidate[] {
  const candidates = drawn.map(({ hostId, random, bid }) => ({
    hostId,
    score: scoreOf(bid, sought),
    random,
    bid,
  }));
  const enough = Math.max(...candidates.map(({ score }) => score)) * AS_GOOD_AS_THE_BEST[sought.policy];
  const isBest = ({ score }: Candidate) => score >= enough;
  return candidates.sort((one, other) => {
    if (isBest(one) && isBest(other)) return one.random - other.random;
    return other.score - one.score || one.random - other.random;
  });
}

function scoreOf({ free, capacity, appMachineCount }: Candidate["bid"], sought: Sought): number {
  const { resources, policy, antiAffinity } = sought;
  const leftOf = (key: keyof Resources) =>
    share((free[key] ?? 0) - (resources[key] ?? 0), capacity[key] ?? 0);
  // Room for volumes counts where one is to be made: machines take none of it.
  const kinds = ["cpuMillis", "memoryMib", ...(resources.volumeMib ? ["volumeMib" as const] : [])] as const;
  const left = Math.min(...kinds.map(leftOf));
  if (left < 0 || (antiAffinity === "hard" && appMachineCount > 0)) return NO_ROOM;
  const fit = policy === "spread" ? left : 1 - left;
  const company = antiAffinity === "none" ? 0 : appMachineCount;
  return Math.round((fit / (1 + company)) * 10_000) / 10_000;
}

function share(part: number, whole: number): number {
  return whole === 0 ? Math.sign(part) : part / whole;
}
