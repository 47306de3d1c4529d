import type { CallMeta, RequestOf, volumesCalls } from "#contracts";
import { type Ids, RefusedError, refusal } from "#kernel";
import { newVolumeId, promisedGbOf } from "#volumes";
import type { FleetReader } from "../fleet/fleet-reader.ts";
import type { IdempotencyKeys } from "../http/idempotency-keys.ts";
import type { FindVolume } from "./find-volume.ts";

type Create = RequestOf<typeof volumesCalls.create>;

/** What a caller wants; `region` and `sizeGb` follow from what it begins with where it does not say. */
export interface VolumeWish
  extends Pick<Create, "appName" | "name" | "autoBackup" | "snapshotRetentionDays" | "compute" | "isAlone"> {
  readonly region: string | undefined;
  readonly sizeGb: number | undefined;
  readonly snapshotId: string | undefined;
  readonly forkOf: string | undefined;
  readonly idempotencyKey: string | undefined;
}

/** What a volume begins with: no smaller, and on the same host. */
interface Source {
  readonly name: string;
  readonly region: string | undefined;
  readonly sizeGb: number;
  /** What its placement is asked with. */
  readonly asked: Pick<Create, "snapshotId" | "sourceVolumeId" | "forkOf">;
}

/** What has to be known before the scheduler is asked for a volume: its id, its command's, and where its snapshot is. */
export class CreateVolume {
  readonly #fleet: FleetReader;
  readonly #find: FindVolume;
  readonly #keys: IdempotencyKeys;
  readonly #ids: Ids;
  readonly #usualRegion: string;

  constructor(fleet: FleetReader, find: FindVolume, keys: IdempotencyKeys, ids: Ids, usualRegion: string) {
    this.#fleet = fleet;
    this.#find = find;
    this.#keys = keys;
    this.#ids = ids;
    this.#usualRegion = usualRegion;
  }

  async prepare(
    wish: VolumeWish,
    meta: CallMeta,
  ): Promise<{ readonly request: Create; readonly meta: CallMeta }> {
    const source = await this.#sourceOf(wish, meta);
    const minted = { volumeId: newVolumeId(this.#ids), commandId: meta.commandId };
    const claim = await this.#keys.claim(wish, minted, meta);
    const { volumeId = minted.volumeId, commandId } = claim;
    if (claim.isLate) await this.#assertNotGone(volumeId, meta);
    const { idempotencyKey: _, snapshotId: __, forkOf: ___, region, sizeGb: asked, ...described } = wish;
    const sizeGb = asked ?? source?.sizeGb;

    if (sizeGb === undefined) throw new RefusedError(refusal("invalid", "size_gb: a volume has 1 to 500 GB"));
    if (source !== undefined && sizeGb < source.sizeGb) throw tooSmall(source);
    const request = {
      ...described,
      volumeId,
      sizeGb,
      region: region || source?.region || this.#usualRegion,
      ...source?.asked,
    };
    return { request, meta: { ...meta, commandId } };
  }

  async #sourceOf({ appName, snapshotId, forkOf }: VolumeWish, meta: CallMeta): Promise<Source | undefined> {
    if (forkOf === undefined) return snapshotId === undefined ? undefined : this.#kept(appName, snapshotId);
    if (snapshotId !== undefined) {
      const message =
        "a volume begins with a snapshot or with a volume: send one of snapshot_id and source_volume_id";
      throw new RefusedError(refusal("invalid", message));
    }
    const { volume } = await this.#find.run(appName, forkOf, meta);
    const { region } = volume;
    return { name: `volume ${forkOf} has`, region, sizeGb: promisedGbOf(volume), asked: { forkOf } };
  }

  #kept(appName: string, snapshotId: string): Source {
    const { snapshot, hostId } = this.#fleet.snapshot(snapshotId) ?? {};
    if (snapshot?.appName !== appName || hostId === undefined)
      throw new RefusedError(refusal("not_found", `no snapshot ${snapshotId} in app ${appName}`));
    return {
      name: `snapshot ${snapshotId} is of a volume of`,
      region: this.#fleet.regionOf(hostId),
      sizeGb: snapshot.volumeSizeGb,
      asked: { snapshotId, sourceVolumeId: snapshot.volumeId },
    };
  }

  /** A host forgets what was destroyed long ago: a late repeat must not make the volume again. */
  async #assertNotGone(volumeId: string, meta: CallMeta): Promise<void> {
    if ((await this.#fleet.hostOfVolume(volumeId)) === undefined) return;
    if (this.#fleet.volume(volumeId) !== undefined) return;
    if ((await this.#find.askOwner(volumeId, meta)) !== undefined) return;
    const message = `volume ${volumeId} of this Idempotency-Key does not exist any more: send a new key`;
    throw new RefusedError(refusal("wrong_state", message, { details: { volumeId } }));
  }
}

function tooSmall({ name, sizeGb }: Source): RefusedError {
  const message = `size_gb: ${name} ${sizeGb} GB: ask for at least as much`;
  return new RefusedError(refusal("invalid", message, { details: { volumeSizeGb: sizeGb } }));
}
