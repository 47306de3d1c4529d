/** The end of one holder's copy of a log, and the event where both copies still have one. */
export interface HeldLog {
  readonly lastSequence: number;
  /** Id of the event at the lower of both last sequences; "" where that is 0. */
  readonly commonEventId: string;
}

/**
 * `behind`: the hub has events that the host lost. `ahead`: they are on their way to the hub. `diverged`: the two are
 * not copies of one log at all.
 */
export type LogVerdict = "ok" | "behind" | "diverged" | "ahead";

/** How a host's log stands to what the hub holds of it. `behind` and `diverged` call for a new log id. */
export function compareWithHub(local: HeldLog, hub: HeldLog): LogVerdict {
  if (local.commonEventId !== hub.commonEventId) return "diverged";
  if (local.lastSequence === hub.lastSequence) return "ok";
  return local.lastSequence < hub.lastSequence ? "behind" : "ahead";
}
