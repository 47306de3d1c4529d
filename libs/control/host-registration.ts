import type { ControlEvent } from "#contracts";
import { accepted, type Decision, refusal, refused, UNCHANGED } from "#kernel";

/** A host as it registered itself: its id and its log, never an address (F28). */
export interface HostRegistration {
  readonly hostId: string;
  readonly region: string;
  readonly logId: string;
  readonly stream: string;
  readonly domain: string;
  readonly registeredAtMs: number;
  /** Logs that this host had before, oldest first. */
  readonly formerLogIds: readonly string[];
}

export interface RegisterHost {
  readonly type: "RegisterHost";
  readonly hostId: string;
  readonly region: string;
  readonly logId: string;
  readonly stream: string;
  readonly domain: string;
  readonly atMs: number;
}

/** A new log succeeds the host's old one for ever: an agent restored from a backup with the old one is not let in. */
export function decideRegister(
  command: RegisterHost,
  standing: HostRegistration | undefined,
): Decision<ControlEvent> {
  const { type: _, atMs: registeredAtMs, ...described } = command;
  if (standing?.formerLogIds.includes(command.logId)) {
    const message = `log ${command.logId} of host ${command.hostId} was succeeded by ${standing.logId}: open a new log`;
    return refused(refusal("stale_epoch", message, { details: { logId: standing.logId } }));
  }
  const isSame =
    standing !== undefined &&
    standing.logId === command.logId &&
    standing.region === command.region &&
    standing.stream === command.stream &&
    standing.domain === command.domain;
  return isSame ? UNCHANGED : accepted({ type: "HostRegistered", data: { ...described, registeredAtMs } });
}
