import type { MachineEvent, MachineExit, RecordedEvent } from "#contracts";
import type { HybridTime, StepError } from "#kernel";
import type { Machine, MachineStateName } from "#machines";

/** Entries kept per machine; older ones are in the logs. */
export const HISTORY_LENGTH = 64;

/** One event of a machine as people are shown it, without what it was decided from. */
export interface HistoryEntry {
  readonly eventId: string;
  readonly type: MachineEvent["type"];
  readonly log: string;
  readonly sequence: number;
  readonly clock: HybridTime;
  readonly actor: string;
  readonly correlationId: string;
  /** The machine's state right after it. */
  readonly state: MachineStateName;
  readonly instanceId: string;
  /** What had it begin: "user", "restart-policy"… */
  readonly origin?: string;
  readonly exit?: MachineExit;
  readonly error?: StepError;
}

/** The entry for an event, given the machine after it. Undefined for mere progress within an operation. */
export function historyEntry(event: RecordedEvent<MachineEvent>, machine: Machine): HistoryEntry | undefined {
  if (event.type === "StepCompleted") return undefined;
  const { header, type, log, sequence } = event;
  const { id: eventId, clock, actor, correlationId } = header;
  const { state, instanceId } = machine;
  return {
    ...{ eventId, type, log, sequence, clock, actor, correlationId, state, instanceId },
    ...("origin" in event.data ? { origin: event.data.origin } : {}),
    ...("exit" in event.data && event.data.exit !== undefined ? { exit: event.data.exit } : {}),
    ...("error" in event.data ? { error: event.data.error } : {}),
  };
}

/** The latest entries of several logs as one history, oldest first: hybrid clock across logs, sequence within one. */
export function mergeHistories(histories: readonly (readonly HistoryEntry[])[]): HistoryEntry[] {
  const all = histories.length === 1 ? [...histories[0]!] : histories.flat().sort(byTime);
  return all.slice(-HISTORY_LENGTH);
}

function byTime(a: HistoryEntry, b: HistoryEntry): number {
  if (a.log === b.log) return a.sequence - b.sequence;
  if (a.clock !== b.clock) return a.clock < b.clock ? -1 : 1;
  return a.log < b.log ? -1 : 1;
}
