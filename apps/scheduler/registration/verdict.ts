import type { AnswerOf, RequestOf, schedulerCalls } from "#contracts";
import type { HeldEvent } from "#event-log";

export type Verdict = AnswerOf<typeof schedulerCalls.register>;
type LogEnd = Pick<
  RequestOf<typeof schedulerCalls.register>,
  "hostId" | "logId" | "lastSequence" | "lastEventId"
>;
type Log = Pick<LogEnd, "hostId" | "logId">;

/** What the hub holds of hosts' logs. */
export interface Holdings {
  last(log: Log): Promise<HeldEvent | undefined>;
  from(log: Log, sequence: number, limit: number): Promise<HeldEvent[]>;
  idOf(event: HeldEvent | undefined): string;
}

/** How a host's log stands to what the hub holds of it. Where the hub holds less, only the host itself can compare. */
export async function verdictOn(end: LogEnd, holdings: Holdings): Promise<Verdict> {
  const { hostId, logId, lastSequence, lastEventId } = end;
  const log = { hostId, logId };
  const last = await holdings.last(log);
  const hubSequence = last?.sequence ?? 0;
  if (hubSequence <= lastSequence) {
    const hubEventId = holdings.idOf(last);
    const isOther = hubSequence === lastSequence && hubEventId !== lastEventId;
    return { verdict: isOther ? "diverged" : "ok", hubSequence, hubEventId };
  }
  const [same] = lastSequence === 0 ? [] : await holdings.from(log, lastSequence, 1);
  const hubEventId = holdings.idOf(same);
  const isPrefix = lastSequence === 0 || hubEventId === lastEventId;
  return { verdict: isPrefix ? "behind" : "diverged", hubSequence, hubEventId };
}
