import { type HostLogEvent, type RecordedEvent, subjects } from "#contracts";
import { type Decision, type Refusal, wallMsOf } from "#kernel";
import type { HostCommand } from "./command.ts";
import { decideHost } from "./decide.ts";
import { evolveHost, isMachineEvent } from "./evolve.ts";
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

  /** A machine that cannot be read is not to be made a second time: so new ones are decided on their own subject too. */
  aggregatesOf(command: HostCommand): string[] {
    const host = subjects.host(this.#identity.hostId);
    switch (command.type) {
      case "Machine":
        return [this.#machine(command.machineId)];
      case "ReserveMachine":
      case "CommitMachine":
      case "RefuseCommit":
        return [host, this.#machine(command.machineId)];
      default:
        return [host];
    }
  }

  subjectOf(event: HostLogEvent): string {
    return isMachineEvent(event) ? this.#machine(event.data.machineId) : subjects.host(this.#identity.hostId);
  }

  /** Configs and states are left out: the event holds them, and they may be large. */
  describe(command: HostCommand): { command: string; inputs: Record<string, unknown> } {
    if (command.type === "Machine") {
      const { machineId } = command;
      const { type, commandId: _, correlationId: __, ...inputs } = command.command;
      return { command: type, inputs: { machineId, ...withoutBulk(inputs) } };
    }
    const { type, commandId: _, ...inputs } = command;
    return { command: type, inputs: withoutBulk(inputs) };
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
    const machineId = "machineId" in command ? { machineId: command.machineId } : {};
    const refused = command.type === "Machine" ? command.command.type : command.type;
    const { code, message } = reason;
    return { type: "RecordRefusal", refused, ...machineId, code, message, count, ...issued };
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
  "Cordon",
  "Uncordon",
  "StartMachine",
  "StopMachine",
  "RestartMachine",
  "SuspendMachine",
  "UpdateMachine",
  "DestroyMachine",
]);

function isAskedFor(command: HostCommand): boolean {
  return ASKED_FOR.has(command.type === "Machine" ? command.command.type : command.type);
}

function withoutBulk(inputs: Record<string, unknown>): Record<string, unknown> {
  const { config: _, previous: __, ...rest } = inputs;
  return rest;
}
