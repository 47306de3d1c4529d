import type { CallMeta, RequestOf, volumesCalls } from "#contracts";
import { type Ids, RefusedError, refusal } from "#kernel";
import { newVolumeId, type Snapshot } from "#volumes";
import type { FleetReader } from "../fleet/fleet-reader.ts";
import type { IdempotencyKeys } from "../http/idempotency-keys.ts";
import type { FindVolume } from "./find-volume.ts";

type Create = RequestOf<typeof volumesCalls.create>;

/** What a caller wants; `region` and `sizeGb` follow from the snapshot where it does not say. */
export interface VolumeWish
  extends Pick<Create, "appName" | "name" | "autoBackup" | "snapshotRetentionDays" | "compute" | "isAlone"> {
  readonly region: string | undefined;
  readonly sizeGb: number | undefined;
  readonly snapshotId: string | undefined;
  readonly idempotencyKey: string | undefined;
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
    const source = this.#sourceOf(wish);
    const minted = { volumeId: newVolumeId(this.#ids), commandId: meta.commandId };
    const claim = await this.#keys.claim(wish, minted, meta);
    const { volumeId = minted.volumeId, commandId } = claim;
    if (claim.isLate) await this.#assertNotGone(volumeId, meta);
    const { idempotencyKey: _, snapshotId: __, region, sizeGb: asked, ...described } = wish;
    const sizeGb = asked ?? source?.snapshot.volumeSizeGb;

    if (sizeGb === undefined) throw new RefusedError(refusal("invalid", "size_gb: a volume has 1 to 500 GB"));
    if (source !== undefined && sizeGb < source.snapshot.volumeSizeGb) throw tooSmall(source.snapshot);
    const request = {
      ...described,
      volumeId,
      sizeGb,
      region: region || source?.region || this.#usualRegion,
      ...(source && { snapshotId: source.snapshot.id, sourceVolumeId: source.snapshot.volumeId }),
    };
    return { request, meta: { ...meta, commandId } };
  }

  #sourceOf({
    appName,
    snapshotId,
  }: VolumeWish): { readonly snapshot: Snapshot; readonly region: string | undefined } | undefined {
    if (snapshotId === undefined) return undefined;
    const { snapshot, hostId } = this.#fleet.snapshot(snapshotId) ?? {};
    if (snapshot?.appName === appName && hostId !== undefined)
      return { snapshot, region: this.#fleet.regionOf(hostId) };
    throw new RefusedError(refusal("not_found", `no snapshot ${snapshotId} in app ${appName}`));
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

function tooSmall({ id, volumeSizeGb }: Snapshot): RefusedError {
  const message = `size_gb: snapshot ${id} is of a volume of ${volumeSizeGb} GB: ask for at least as much`;
  return new RefusedError(refusal("invalid", message, { details: { volumeSizeGb } }));
}
