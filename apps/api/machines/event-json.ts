import type { MachineEvent, MachineExit, RecordedEvent } from "#contracts";
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

type Described = Pick<MachineEventJson, "type" | "status" | "request">;

/** The API's name for an event; undefined for those that it does not show (steps, refusals, queued intents). */
export function machineEventJson(event: RecordedEvent<MachineEvent>): MachineEventJson | undefined {
  const described = describe(event);
  if (described === undefined) return undefined;
  const source = event.header.actor.startsWith("token:") ? "user" : "flyd";
  return { id: event.header.id, ...described, source, timestamp: wallMsOf(event.header.clock) };
}

const TYPE_AND_STATUS: Partial<Record<MachineEvent["type"], readonly [string, string]>> = {
  MachineCreating: ["launch", "creating"],
  MachineCreated: ["launch", "created"],
  MachineLaunchFailed: ["launch", "launch_failed"],
  MachineStarting: ["start", "starting"],
  MachineStarted: ["start", "started"],
  MachineStopping: ["stop", "stopping"],
  MachineStopped: ["stop", "stopped"],
  MachineRestarting: ["restart", "restarting"],
  MachineSuspending: ["suspend", "suspending"],
  MachineSuspended: ["suspend", "suspended"],
  MachineUpdating: ["update", "updating"],
  MachineUpdated: ["update", "created"],
  MachineUpdateFailed: ["update", "failed"],
  MachineFailed: ["fail", "failed"],
  MachineDestroying: ["destroy", "destroying"],
  MachineDestroyed: ["destroy", "destroyed"],
  MachineReleased: ["migrate", "migrated"],
};

function describe(event: MachineEvent): Described | undefined {
  if (event.type === "MachineExited") {
    const restarting = event.data.next === "restarting";
    return { type: "exit", status: "stopped", request: exitRequest(event.data.exit, restarting) };
  }
  const known = TYPE_AND_STATUS[event.type];
  if (known === undefined) return undefined;
  const [type, status] = known;
  if (event.type === "MachineStopped" && event.data.exit !== undefined) {
    return { type: "exit", status, request: exitRequest(event.data.exit, false) };
  }
  if ("error" in event.data) return { type, status, request: { error: event.data.error } };
  return { type, status };
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
