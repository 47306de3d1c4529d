import { RefusedError, refusal } from "#kernel";
import type { ApiClient } from "./api-client.ts";

/** A volume as the API shows it, as far as the CLI reads it. */
export interface VolumeRecord {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly region: string;
  readonly size_gb: number;
  readonly fstype: string;
  readonly attached_machine_id: string | null;
  readonly auto_backup_enabled: boolean;
  readonly snapshot_retention: number;
  readonly host_status: string;
  readonly created_at: string;
  readonly bytes_used?: number;
  readonly bytes_total?: number;
  readonly drover: {
    readonly app: string;
    readonly host: string;
    readonly error?: { readonly message: string };
    readonly waiting_for?: { readonly operation: string; readonly last_error?: { readonly message: string } };
  };
}

/** Likewise a snapshot. */
export interface SnapshotRecord {
  readonly id: string;
  readonly status: string;
  /** Bytes. */
  readonly size: number;
  readonly volume_size: number;
  readonly created_at: string;
  readonly retention_days: number;
  readonly drover: {
    readonly app: string;
    readonly volume: string;
    readonly volume_name: string;
    readonly origin: string;
  };
}

export function listVolumes(api: ApiClient, app?: string): Promise<VolumeRecord[]> {
  const query = app === undefined ? "" : `?app=${encodeURIComponent(app)}`;
  return api.list<VolumeRecord>(`/drover/v1/volumes${query}`);
}

/** Of all volumes. */
export function listSnapshots(api: ApiClient): Promise<SnapshotRecord[]> {
  return api.list<SnapshotRecord>("/drover/v1/snapshots");
}

export function volumesPath(app: string): string {
  return `/v1/apps/${encodeURIComponent(app)}/volumes`;
}

export function volumePath({ id, drover }: Pick<VolumeRecord, "id" | "drover">): string {
  return `${volumesPath(drover.app)}/${id}`;
}

/**
 * The volume of exactly this id or name (F48), as `app/name` where several apps have one. Throws a refusal `volume_not_found`,
 * or `invalid` where several are called so.
 */
export async function findVolume(api: ApiClient, key: string, app?: string): Promise<VolumeRecord> {
  const [inApp, name] = key.includes("/") ? (key.split("/", 2) as [string, string]) : [app, key];
  const found = (await listVolumes(api)).filter(
    (volume) =>
      volume.id === name || (volume.name === name && (inApp ?? volume.drover.app) === volume.drover.app),
  );
  const [volume, ...others] = found;
  if (volume === undefined) {
    const where = inApp === undefined ? "" : ` in app ${inApp}`;
    throw new RefusedError(refusal("volume_not_found", `no volume ${name}${where}: see \`drover volumes\``));
  }
  if (others.length === 0) return volume;
  const ids = found.map(({ id }) => id).join(", ");
  throw new RefusedError(refusal("invalid", `several volumes are called ${name}: name one of ${ids}`));
}
