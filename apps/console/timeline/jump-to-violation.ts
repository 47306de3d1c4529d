import type { ReplayViolation } from "#contracts";
import type { PlayerSnapshot } from "../history/player-snapshot.ts";
import type { Session } from "../session.ts";

/** Goes to the violation after or before the moment shown, and to what it is about. */
export function jumpToViolation(session: Session, direction: 1 | -1): void {
  const found = nextViolation(session.almanac.snapshot().violations, session.player.snapshot(), direction);
  if (found === undefined) return;
  session.goTo(found.event.id, { selection: `${found.entity.kind}/${found.entity.id}` });
}

/** `violations`: in the order of time. Undefined when there is none on that side. */
export function nextViolation(
  violations: readonly ReplayViolation[],
  { atMs, step }: Pick<PlayerSnapshot, "atMs" | "step">,
  direction: 1 | -1,
): ReplayViolation | undefined {
  const here = violations.findIndex(({ event }) => event.id === step?.id);
  if (here >= 0) {
    // One event may have broken several: they count as one place.
    const rest = direction > 0 ? violations.slice(here) : violations.slice(0, here).reverse();
    return rest.find(({ event }) => event.id !== step?.id);
  }
  return direction > 0
    ? violations.find(({ event }) => event.atMs >= atMs && event.id !== step?.id)
    : violations.findLast(({ event }) => event.atMs <= atMs);
}
