import type { MachineEvent, MachineExit } from "#contracts";
import type { HistoryEntry } from "#fleet";
import { wallMsOf } from "#kernel";

/** `MachineEvent` of the Machines API. */
export interface MachineEventJson {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly source: "user" | "flyd";
  readonly timestamp: number;
  readonly request?: Record<string, unknown>;
}

/** What the API calls each event; those that are not here are shown to nobody (queued intents, refusals). */
const TYPES: Partial<Record<MachineEvent["type"], string>> = {
  MachineCreating: "launch",
  MachineCreated: "launch",
  MachineLaunchFailed: "launch",
  MachineStarting: "start",
  MachineStarted: "start",
  MachineStopping: "stop",
  MachineStopped: "stop",
  MachineExited: "exit",
  MachineRestarting: "restart",
  MachineSuspending: "suspend",
  MachineSuspended: "suspend",
  MachineUpdating: "update",
  MachineUpdated: "update",
  MachineUpdateFailed: "update",
  MachineFailed: "fail",
  MachineDestroying: "destroy",
  MachineDestroyed: "destroy",
  MachineCordoned: "cordon",
  MachineUncordoned: "uncordon",
  MachineReleased: "migrate",
};

/** Those that are shown. */
export const SHOWN_TYPES = Object.keys(TYPES) as MachineEvent["type"][];

/** A machine's event as the API shows it; undefined for those that it does not show. */
export function machineEventJson(entry: HistoryEntry): MachineEventJson | undefined {
  const type = TYPES[entry.type];
  if (type === undefined) return undefined;
  const shown = { id: entry.eventId, status: entry.state, timestamp: wallMsOf(entry.clock) };
  const source = entry.actor.startsWith("token:") ? "user" : "flyd";
  if (entry.exit !== undefined) {
    const request = exitRequest(entry.exit, entry.state === "restarting");
    return { ...shown, type: "exit", source, request };
  }
  const request = entry.error === undefined ? {} : { request: { error: entry.error } };
  return { ...shown, type, source, ...request };
}

/** `exit_event` as Fly's clients read it (features §1). */
function exitRequest(exit: MachineExit, restarting: boolean): Record<string, unknown> {
  return {
    exit_event: {
      exit_code: exit.exit_code,
      guest_exit_code: exit.exit_code,
      guest_signal: exit.guest_signal,
      signal: exit.guest_signal,
      oom_killed: exit.oom_killed,
      requested_stop: exit.requested_stop,
      restarting,
      exited_at: new Date(exit.exited_at_ms).toISOString(),
    },
  };
}
