import {
  type AnswerOf,
  type bidCall,
  type CallMeta,
  type hostCalls,
  mountedVolumesOf,
  type RequestOf,
} from "#contracts";
import { bidOf, type Claimant, claimantId, type HostCommand } from "#hosts";
import { type Clock, type Refusal, RefusedError, refusal } from "#kernel";
import type { Decisions, OwnCommand } from "../decisions.ts";
import type { AdmissionRoom } from "../start/admission-room.ts";
import type { PortProbe } from "../start/port-probe.ts";
import type { StorageWatch } from "../start/storage-watch.ts";
import type { VolumeProbe } from "../start/volume-probe.ts";
import { orRefuse, type Snapshots } from "./snapshots.ts";

type Offer = (typeof hostCalls)["offer"];
type Commit = (typeof hostCalls)["commit"];
type CommitVolume = (typeof hostCalls)["commitVolume"];
type Release = (typeof hostCalls)["release"];

/** What a host looks at beside its log before it takes something in. */
export interface Gates {
  readonly room: AdmissionRoom;
  readonly storage: StorageWatch;
  readonly ports: PortProbe;
  readonly volumes: VolumeProbe;
}

/** A machine's or a volume's way onto this host: bid, offer, commit. Each step checks again what the one before saw (I3, I8). */
export class Placement {
  readonly #decisions: Decisions;
  readonly #snapshots: Snapshots;
  readonly #gates: Gates;
  readonly #clock: Clock;

  constructor(decisions: Decisions, snapshots: Snapshots, gates: Gates, clock: Clock) {
    this.#decisions = decisions;
    this.#snapshots = snapshots;
    this.#gates = gates;
    this.#clock = clock;
  }

  /** Promises nothing. A host that would refuse says why (F09). */
  async bid(request: RequestOf<typeof bidCall>): Promise<AnswerOf<typeof bidCall>> {
    const reason = await this.#refuseIfFull(request);
    const { host } = this.#decisions;
    return reason === undefined
      ? bidOf(host, request, this.#clock.nowMs())
      : { kind: "no-bid", hostId: host.id, refusal: reason };
  }

  /** The command id is the create's, and the reservation's. */
  async offer(request: RequestOf<Offer>, meta: CallMeta): Promise<AnswerOf<Offer>> {
    const reservationId = meta.commandId;
    if (!this.#isKnown(request, reservationId)) {
      const reason = await this.#refuseIfFull(request);
      if (reason !== undefined) throw new RefusedError(reason);
    }
    const command =
      "machineId" in request
        ? ({ type: "ReserveMachine", reservationId, ...request } as const)
        : ({ type: "ReserveVolume", reservationId, ...request } as const);
    const { position } = orRefuse(await this.#decisions.asked(command, meta));
    return { position };
  }

  async commit(request: RequestOf<Commit>, meta: CallMeta): Promise<AnswerOf<Commit>> {
    const { machineId, epoch, appName, name, instanceId, config, skipLaunch, isCordoned } = request;
    const placed = { reservationId: meta.commandId, machineId, epoch };
    const described = {
      ...{ appName, name, instanceId, config, skipLaunch, origin: "user" },
      ...(isCordoned === undefined ? {} : { isCordoned }),
    };
    const needs = { ports: config.publish ?? [], volumes: mountedVolumesOf(config) };
    const reason = await this.#refuseToMake({ machineId, ...needs }, meta);
    await this.#make(placed, { type: "CommitMachine", ...placed, ...described }, reason, meta);
    return this.#snapshots.machine(machineId);
  }

  async commitVolume(request: RequestOf<CommitVolume>, meta: CallMeta): Promise<AnswerOf<CommitVolume>> {
    const { region: _, ...described } = request;
    const { volumeId, epoch, snapshotId, forkOf } = described;
    const placed = { reservationId: meta.commandId, volumeId, epoch };
    const reason = await this.#refuseToMake({ volumeId, snapshotId, forkOf }, meta);
    await this.#make(placed, { type: "CommitVolume", ...placed, ...described, origin: "user" }, reason, meta);
    return this.#snapshots.volume(volumeId);
  }

  async release({ reservationId }: RequestOf<Release>, meta: CallMeta): Promise<AnswerOf<Release>> {
    const command = { type: "EndReservation", reservationId, reason: "released" } as const;
    const { position } = orRefuse(await this.#decisions.asked(command, meta));
    return { position };
  }

  /** What this host said no to once, it says no to for good: another one may be the owner by then. */
  async #make(
    placed: Placed,
    commit: OwnCommand,
    reason: Refusal | undefined,
    meta: CallMeta,
  ): Promise<void> {
    const command: OwnCommand =
      reason === undefined
        ? commit
        : { type: "RefuseCommit", ...placed, code: reason.code, message: reason.message };
    const recorded = orRefuse(await this.#decisions.asked(command, meta));
    if (recorded.kind === "accepted" && recorded.event.type === "CommitRefused") {
      const { code, message, epoch } = recorded.event.data;
      throw new RefusedError(refusal(code, message, { details: { epoch } }));
    }
  }

  async #refuseToMake(coming: Coming, { commandId }: CallMeta): Promise<Refusal | undefined> {
    return this.#isKnown(coming, commandId) ? undefined : this.#refuseIfFull(coming);
  }

  /** What was promised or made already is not refused for want of room: the question is only asked again. */
  #isKnown(coming: Coming, reservationId: string): boolean {
    const { reservations, machines, volumes } = this.#decisions.host;
    const id = claimantId(coming);
    return reservations.has(reservationId) || machines.has(id) || volumes.has(id);
  }

  async #refuseIfFull(coming: Coming): Promise<Refusal | undefined> {
    const { ports = [], volumes = [], snapshotId, forkOf } = coming;
    const needed = [...volumes, snapshotId ?? [], forkOf ?? []].flat();
    const gates = this.#gates;
    return (
      gates.room.refuseIfFull() ??
      gates.storage.refuseIfSuspect() ??
      (await gates.volumes.refuseIfMissing(needed)) ??
      gates.ports.refuseIfTaken(ports)
    );
  }
}

/** What wants to come here, as far as the host agent itself has a say. */
interface Coming extends Claimant {
  readonly ports?: RequestOf<Commit>["config"]["publish"];
  /** What it mounts. */
  readonly volumes?: readonly string[] | undefined;
  /** What it begins with. */
  readonly snapshotId?: string | undefined;
  readonly forkOf?: string | undefined;
}

/** Of a commit, what its refusal says as well. */
type Placed = Omit<
  Extract<HostCommand, { type: "RefuseCommit" }>,
  "type" | "code" | "message" | "commandId" | "atMs"
>;
