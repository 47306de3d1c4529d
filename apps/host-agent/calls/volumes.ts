import { type AnswerOf, type CallMeta, type hostCalls, type RequestOf, volumeMibOf } from "#contracts";
import { RefusedError } from "#kernel";
import type { VolumeStore } from "#runtime";
import type { Decisions } from "../decisions.ts";
import type { AdmissionRoom } from "../start/admission-room.ts";
import type { StorageWatch } from "../start/storage-watch.ts";
import { orRefuse, type Snapshots } from "./snapshots.ts";

type Command = (typeof hostCalls)["volume"];
type Take = (typeof hostCalls)["snapshot"];
type Get = (typeof hostCalls)["getVolume"];

const USAGE_TIMEOUT_MS = 2_000;
const MIB = 1024 * 1024;
/** What may be written to a volume between the look at it and its snapshot. */
const MEANWHILE_MIB = 16;

/** What calls about volumes are answered with. */
export interface VolumeCallParts {
  readonly decisions: Decisions;
  readonly snapshots: Snapshots;
  readonly room: AdmissionRoom;
  readonly storage: StorageWatch;
  readonly store: VolumeStore;
}

/** Commands and questions about one volume and its snapshots. */
export class VolumeCalls {
  readonly #parts: VolumeCallParts;

  constructor(parts: VolumeCallParts) {
    this.#parts = parts;
  }

  /** Answers once the decision stands; what follows from it is seen in the volume's state. */
  async command({ volumeId, command }: RequestOf<Command>, meta: CallMeta): Promise<AnswerOf<Command>> {
    if (command.type === "ExtendVolume") this.#refuseUnlessRoom();
    orRefuse(await this.#parts.decisions.askedOfVolume(volumeId, { ...command, origin: "user" }, meta));
    return this.#parts.snapshots.volume(volumeId);
  }

  async snapshot(request: RequestOf<Take>, meta: CallMeta): Promise<AnswerOf<Take>> {
    const { volumeId, snapshotId, command: type, origin = "user" } = request;
    const { decisions, snapshots } = this.#parts;
    if (type === "DestroySnapshot") {
      orRefuse(await decisions.askedOfSnapshot({ volumeId, snapshotId }, { type, origin }, meta));
      return snapshots.snapshot(snapshotId);
    }
    if (!decisions.host.snapshots.has(snapshotId)) this.#refuseUnlessRoom();
    const reservedMib = await this.#mostMibOf(volumeId);
    orRefuse(await decisions.asked({ type, volumeId, snapshotId, reservedMib, origin }, meta));
    return snapshots.snapshot(snapshotId);
  }

  async get({ volumeId }: RequestOf<Get>): Promise<AnswerOf<Get>> {
    const { decisions, snapshots } = this.#parts;
    const usage = await this.#usageOf(volumeId);
    const own = [...decisions.host.snapshots.values()].filter((snapshot) => snapshot.volumeId === volumeId);
    return {
      ...(await snapshots.volume(volumeId)),
      snapshots: own.map((snapshot) => ({ ...snapshot })),
      ...(usage === undefined ? {} : { usage }),
    };
  }

  /** What a snapshot taken now may hold; all of the volume where nobody can tell. */
  async #mostMibOf(volumeId: string): Promise<number> {
    const volume = this.#parts.decisions.host.volumes.get(volumeId);
    if (volume === undefined) return 0;
    const mostMib = volumeMibOf(volume.sizeGb);
    const usage = await this.#usageOf(volumeId);
    return usage === undefined
      ? mostMib
      : Math.min(mostMib, Math.ceil(usage.usedBytes / MIB) + MEANWHILE_MIB);
  }

  async #usageOf(volumeId: string) {
    const { store } = this.#parts;
    return store.usage(volumeId, AbortSignal.timeout(USAGE_TIMEOUT_MS)).catch(() => undefined);
  }

  /** What takes room is refused while there is none (F34), or nobody knows (F26). */
  #refuseUnlessRoom(): void {
    const reason = this.#parts.room.refuseIfFull() ?? this.#parts.storage.refuseIfSuspect();
    if (reason !== undefined) throw new RefusedError(reason);
  }
}
