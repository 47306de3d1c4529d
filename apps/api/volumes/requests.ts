import { z } from "zod";
import {
  DEFAULT_RETENTION_DAYS,
  guestSchema,
  regionsSchema,
  retentionDaysSchema,
  snapshotIdSchema,
  volumeIdSchema,
  volumeNameSchema,
} from "#contracts";
import { VOLUME_STATES } from "#volumes";
import { cursor, flag, stateList } from "../machines/requests.ts";

/** What clients send about volumes: names and shapes of the Machines API. What would be promised and not kept is refused. */

const MAX_GB = 500;
const sizeGb = z.number().int().min(1, "a volume has 1 to 500 GB").max(MAX_GB, "a volume has 1 to 500 GB");

export const createVolumeSchema = z.looseObject({
  name: volumeNameSchema,
  region: regionsSchema.or(z.literal("")).optional(),
  size_gb: sizeGb.optional(),
  auto_backup_enabled: z.boolean().default(true),
  snapshot_retention: retentionDaysSchema.or(z.literal(0)).default(DEFAULT_RETENTION_DAYS),
  snapshot_id: snapshotIdSchema.or(z.literal("")).optional(),
  /** A machine of this size shall have room beside it. */
  compute: guestSchema.optional(),
  require_unique_zone: z.boolean().optional(),
  /** What is not so is not accepted as if it were; Fly's own client asks for it unless told. */
  encrypted: z
    .literal(false, "volumes are not encrypted: send false or leave it out (flyctl: --no-encryption)")
    .optional(),
  /** The host's own file system does what ext4 does. */
  fstype: z.enum(["", "ext4", "btrfs"], "volumes are folders, not block devices: leave it out").optional(),
  unique_zone_app_wide: z
    .literal(false, "volumes are kept apart by their name: use require_unique_zone")
    .optional(),
  /** It begins with what that volume holds, on its host. */
  source_volume_id: volumeIdSchema.or(z.literal("")).optional(),
});

export const updateVolumeSchema = z.looseObject({
  auto_backup_enabled: z.boolean().optional(),
  snapshot_retention: retentionDaysSchema.optional(),
});

export const extendVolumeSchema = z.looseObject({ size_gb: sizeGb });

export const orgVolumesSchema = z.looseObject({
  include_deleted: flag.optional(),
  region: z.string().optional(),
  state: stateList.pipe(z.array(z.enum(VOLUME_STATES))).optional(),
  summary: flag.optional(),
  /** RFC 3339. A cursor takes its place. */
  updated_after: z.iso.datetime({ offset: true }).transform(Date.parse).optional(),
  cursor: cursor.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
});
export type OrgVolumesQuery = z.infer<typeof orgVolumesSchema>;
