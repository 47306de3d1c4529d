import { type HostLogEvent, mountedVolumesOf, type RecordedEvent, subjects } from "#contracts";
import { type Decision, type Refusal, wallMsOf } from "#kernel";
import type { HostCommand } from "./command.ts";
import { decideHost } from "./decide.ts";
import { aboutOf, describeHost } from "./describe.ts";
import { evolveHost, isMachineEvent, isVolumeEvent } from "./evolve.ts";
import { emptyHost, HOST_FOLD_VERSION, type Host, hostFromJson, hostToJson } from "./state.ts";

/** Who a host is, for the first events of its log. */
export interface HostIdentity {
  readonly hostId: string;
  readonly region: string;
  readonly clusterId: string;
  readonly subnet: string;
  readonly agentVersion: string;
  readonly bootId: string;
}

/** How a host's own log folds: `Fold` of libs/event-log. */
export const hostFold = {
  version: HOST_FOLD_VERSION,
  empty: emptyHost,
  evolve: (host: Host, event: RecordedEvent): Host =>
    // A host's stream takes no other subjects than a host's.
    evolveHost(host, event as RecordedEvent<HostLogEvent>, wallMsOf(event.header.clock)),
  toJson: hostToJson,
  fromJson: hostFromJson,
} as const;

/** What a ledger has to know to keep a host's decisions: `Domain` of libs/event-log. Pure. */
export class HostDomain {
  readonly fold = hostFold;
  readonly #identity: HostIdentity;

  constructor(identity: HostIdentity) {
    this.#identity = identity;
  }

  decide(command: HostCommand, host: Host): Decision<HostLogEvent> {
    return decideHost(command, host);
  }

  /**
   * What cannot be read is not to be made a second time: so new machines and volumes are decided on their own subject,
   * too. A volume that cannot be read is nobody's to mount.
   */
  aggregatesOf(command: HostCommand): string[] {
    const host = subjects.host(this.#identity.hostId);
    switch (command.type) {
      case "Machine":
        return [this.#machine(command.machineId)];
      case "ReserveMachine":
        return [host, this.#machine(command.machineId)];
      case "CommitMachine": {
        const volumes = mountedVolumesOf(command.config).map((volumeId) => this.#volume(volumeId));
        return [host, this.#machine(command.machineId), ...volumes];
      }
      case "ReserveVolume":
      case "CommitVolume":
        return [host, this.#volume(command.volumeId)];
      case "Volume":
      case "TakeSnapshot":
      case "Snapshot":
        return [this.#volume(command.volumeId)];
      case "RefuseCommit": {
        const { machineId, volumeId = "" } = command;
        return [host, machineId === undefined ? this.#volume(volumeId) : this.#machine(machineId)];
      }
      default:
        return [host];
    }
  }

  subjectOf(event: HostLogEvent): string {
    if (isVolumeEvent(event)) return this.#volume(event.data.volumeId);
    return isMachineEvent(event) ? this.#machine(event.data.machineId) : subjects.host(this.#identity.hostId);
  }

  describe(command: HostCommand, event?: HostLogEvent): { command: string; inputs: Record<string, unknown> } {
    return describeHost(command, event);
  }

  openLog(
    log: {
      readonly logId: string;
      readonly previous?: {
        readonly logId: string;
        readonly sequence: number;
        readonly reason: string;
        readonly state: unknown;
      };
    },
    issued: Issued,
  ): HostCommand {
    const { hostId, region, clusterId, subnet } = this.#identity;
    return { type: "OpenLog", hostId, region, clusterId, subnet, ...log, ...issued };
  }

  opening(issued: () => Issued): HostCommand[] {
    const { agentVersion, bootId } = this.#identity;
    return [{ type: "ClaimEpoch", agentVersion, bootId, ...issued() }];
  }

  /** What the agent told itself is no news to anybody; what others asked for is. */
  recordRefusal(
    command: HostCommand,
    reason: Refusal,
    count: number,
    issued: Issued,
  ): HostCommand | undefined {
    if (!isAskedFor(command)) return undefined;
    const refused = "command" in command ? command.command.type : command.type;
    const { code, message } = reason;
    return { type: "RecordRefusal", refused, ...aboutOf(command), code, message, count, ...issued };
  }

  #volume(volumeId: string): string {
    return subjects.volume(this.#identity.hostId, volumeId);
  }

  #machine(machineId: string): string {
    return subjects.machine(this.#identity.hostId, machineId);
  }
}

interface Issued {
  readonly commandId: string;
  readonly atMs: number;
}

const ASKED_FOR: ReadonlySet<string> = new Set([
  "ReserveMachine",
  "CommitMachine",
  "ReserveVolume",
  "CommitVolume",
  "ExtendVolume",
  "UpdateVolume",
  "DestroyVolume",
  "TakeSnapshot",
  "DestroySnapshot",
  "Cordon",
  "Uncordon",
  "StartMachine",
  "StopMachine",
  "RestartMachine",
  "SuspendMachine",
  "CordonMachine",
  "UncordonMachine",
  "UpdateMachine",
  "DestroyMachine",
]);

function isAskedFor(command: HostCommand): boolean {
  return ASKED_FOR.has("command" in command ? command.command.type : command.type);
}
