import { type AnswerOf, type bidCall, type CallMeta, type hostCalls, type RequestOf } from "#contracts";
import { bidOf } from "#hosts";
import { type Clock, type Refusal, RefusedError, refusal } from "#kernel";
import type { Decisions } from "../decisions.ts";
import type { AdmissionRoom } from "../start/admission-room.ts";
import type { PortProbe } from "../start/port-probe.ts";
import { orRefuse, type Snapshots } from "./snapshots.ts";

type Offer = (typeof hostCalls)["offer"];
type Commit = (typeof hostCalls)["commit"];
type Release = (typeof hostCalls)["release"];

/** A machine's way onto this host: bid, offer, commit. Each step checks again what the one before saw (I3, I8). */
export class Placement {
  readonly #decisions: Decisions;
  readonly #snapshots: Snapshots;
  readonly #room: AdmissionRoom;
  readonly #ports: PortProbe;
  readonly #clock: Clock;

  constructor(
    decisions: Decisions,
    snapshots: Snapshots,
    room: AdmissionRoom,
    ports: PortProbe,
    clock: Clock,
  ) {
    this.#decisions = decisions;
    this.#snapshots = snapshots;
    this.#room = room;
    this.#ports = ports;
    this.#clock = clock;
  }

  /** Promises nothing. A host that would refuse says why (F09). */
  async bid(request: RequestOf<typeof bidCall>): Promise<AnswerOf<typeof bidCall>> {
    const reason = await this.#refuseIfFull(request.ports);
    const { host } = this.#decisions;
    return reason === undefined
      ? bidOf(host, request, this.#clock.nowMs())
      : { kind: "no-bid", hostId: host.id, refusal: reason };
  }

  /** The command id is the create's, and the reservation's. */
  async offer(request: RequestOf<Offer>, meta: CallMeta): Promise<AnswerOf<Offer>> {
    const reservationId = meta.commandId;
    if (!this.#isKnown(request.machineId, reservationId)) {
      const reason = await this.#refuseIfFull(request.ports);
      if (reason !== undefined) throw new RefusedError(reason);
    }
    const command = { type: "ReserveMachine", reservationId, ...request } as const;
    const { position } = orRefuse(await this.#decisions.asked(command, meta));
    return { position };
  }

  /** What this host said no to once, it says no to for good: another one may be the owner by then. */
  async commit(request: RequestOf<Commit>, meta: CallMeta): Promise<AnswerOf<Commit>> {
    const { machineId, epoch, appName, name, instanceId, config, skipLaunch } = request;
    const placed = { reservationId: meta.commandId, machineId, epoch };
    const reason = this.#isKnown(machineId, meta.commandId)
      ? undefined
      : await this.#refuseIfFull(config.publish ?? []);
    const described = { appName, name, instanceId, config, skipLaunch, origin: "user" };
    const command =
      reason === undefined
        ? ({ type: "CommitMachine", ...placed, ...described } as const)
        : ({ type: "RefuseCommit", ...placed, code: reason.code, message: reason.message } as const);
    const recorded = orRefuse(await this.#decisions.asked(command, meta));
    if (recorded.kind === "accepted" && recorded.event.type === "CommitRefused") {
      const { code, message } = recorded.event.data;
      throw new RefusedError(refusal(code, message, { details: { epoch } }));
    }
    return this.#snapshots.machine(machineId);
  }

  async release({ reservationId }: RequestOf<Release>, meta: CallMeta): Promise<AnswerOf<Release>> {
    const command = { type: "EndReservation", reservationId, reason: "released" } as const;
    const { position } = orRefuse(await this.#decisions.asked(command, meta));
    return { position };
  }

  /** What was promised or made already is not refused for want of room: the question is only asked again. */
  #isKnown(machineId: string, reservationId: string): boolean {
    const { reservations, machines } = this.#decisions.host;
    return reservations.has(reservationId) || machines.has(machineId);
  }

  async #refuseIfFull(ports: RequestOf<Offer>["ports"]): Promise<Refusal | undefined> {
    return this.#room.refuseIfFull() ?? this.#ports.refuseIfTaken(ports);
  }
}
