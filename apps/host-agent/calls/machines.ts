import type { AnswerOf, CallMeta, hostCalls, RequestOf } from "#contracts";
import { RefusedError, refusal } from "#kernel";
import type { Decisions } from "../decisions.ts";
import type { AdmissionRoom } from "../start/admission-room.ts";
import type { LogStreams } from "./log-streams.ts";
import { orRefuse, type Snapshots } from "./snapshots.ts";

type MachineCall = (typeof hostCalls)["machine"];
type Get = (typeof hostCalls)["get"];
type Logs = (typeof hostCalls)["logs"];

const TAKES_ROOM: ReadonlySet<string> = new Set(["StartMachine", "RestartMachine", "UpdateMachine"]);

/** Commands and questions about one machine. */
export class MachineCalls {
  readonly #decisions: Decisions;
  readonly #snapshots: Snapshots;
  readonly #room: AdmissionRoom;
  readonly #streams: LogStreams;

  constructor(decisions: Decisions, snapshots: Snapshots, room: AdmissionRoom, streams: LogStreams) {
    this.#decisions = decisions;
    this.#snapshots = snapshots;
    this.#room = room;
    this.#streams = streams;
  }

  /** Answers once the decision stands; what follows from it is seen in the machine's state. */
  async command(request: RequestOf<MachineCall>, meta: CallMeta): Promise<AnswerOf<MachineCall>> {
    const { machineId, command } = request;
    this.#refuseUnlessRoom(command.type);
    orRefuse(await this.#decisions.askedOf(machineId, { ...command, origin: "user" }, meta));
    return this.#snapshots.machine(machineId);
  }

  get({ machineId }: RequestOf<Get>): Promise<AnswerOf<Get>> {
    return this.#snapshots.machine(machineId);
  }

  logs(request: RequestOf<Logs>): AnswerOf<Logs> {
    const { machineId } = request;
    if (this.#decisions.machine(machineId) === undefined) {
      throw new RefusedError(refusal("not_found", `no machine ${machineId} on this host`));
    }
    this.#streams.open(request);
    return {};
  }

  /** What takes room is refused while there is none (F34); stopping and destroying, which make some, are not. */
  #refuseUnlessRoom(type: RequestOf<MachineCall>["command"]["type"]): void {
    if (!TAKES_ROOM.has(type)) return;
    const reason = this.#room.refuseIfFull();
    if (reason !== undefined) throw new RefusedError(reason);
  }
}
