import type { Resources } from "#contracts";
import type { Candidate, DecidePlacement, DrawnBid } from "#control";
import type { World } from "#timeline";
import type { Deciders } from "./deciders.ts";

/**
 * The hosts of a placement in the order in which they would be ranked now, from the bids and the random numbers that were
 * written down. Undefined where that is not enough: nobody bid, or an old release kept less of it.
 */
export function rerank(
  command: DecidePlacement,
  world: World,
  rank: Deciders["rank"],
): Candidate[] | undefined {
  const { wish, candidates } = command;
  const drawn = candidates.flatMap(({ hostId, random, bid }): DrawnBid[] =>
    bid === undefined ? [] : [{ hostId, random, bid }],
  );
  if (wish === undefined || drawn.length === 0 || drawn.length < candidates.length) return undefined;
  const resources = command.resources ?? reservedFor(command, world);
  if (resources === undefined) return undefined;
  const { policy, antiAffinity } = wish;
  return rank(drawn, { resources, policy, antiAffinity });
}

/** What the chosen host set aside for it, which it did before the decision. */
function reservedFor(command: DecidePlacement, { view }: World): Resources | undefined {
  const claimant = "volumeId" in command ? command.volumeId : command.machineId;
  for (const { hostId, host } of view.logs.values()) {
    if (hostId !== command.hostId) continue;
    const reservation = host.reservations.get(host.holdings.reservationOf.get(claimant) ?? "");
    if (reservation?.epoch === command.epoch) return reservation.resources;
  }
  return undefined;
}
