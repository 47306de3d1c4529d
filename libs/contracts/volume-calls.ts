import { z } from "zod";
import { call, positionSchema } from "./call.ts";
import { guestSchema, resourcesSchema } from "./machine-config.ts";
import { featureSchema, regionsSchema } from "./placement.ts";
import { SUBJECT_TOKEN } from "./subjects.ts";
import {
  retentionDaysSchema,
  sizeGbSchema,
  snapshotIdSchema,
  volumeIdSchema,
  volumeNameSchema,
} from "./volume.ts";

const id = z.string().regex(SUBJECT_TOKEN);
const volumeId = volumeIdSchema;
const snapshotId = snapshotIdSchema;

/** A volume and a snapshot as their host folds them (libs/volumes): domain types stand above this library. */
const volume = z.looseObject({ id: z.string(), state: z.string() });
const snapshot = z.looseObject({ id: z.string(), state: z.string() });
const decided = z.object({ position: positionSchema, volume });

/**
 * What a volume needs of its host. `resources` may hold more than room for it: that of a machine which is going to need
 * it, and which has to have room there at this moment.
 */
export const wantedVolume = {
  volumeId,
  appName: id,
  resources: resourcesSchema,
  features: z.array(featureSchema).optional(),
  /** It begins with what this snapshot holds, which has to be on that host. */
  snapshotId: snapshotId.optional(),
  /** It begins with what this volume holds, which has to be on that host. */
  forkOf: volumeId.optional(),
  name: volumeNameSchema.optional(),
  /** No other volume of its app and name may be there. */
  isAlone: z.boolean().optional(),
};

const placedVolume = {
  volumeId,
  appName: id,
  name: volumeNameSchema,
  sizeGb: sizeGbSchema,
  autoBackup: z.boolean(),
  snapshotRetentionDays: retentionDaysSchema,
  snapshotId: snapshotId.optional(),
  forkOf: volumeId.optional(),
};

/** What may be asked of one volume. */
export const volumeRequestSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ExtendVolume"), sizeGb: sizeGbSchema }),
  z.strictObject({
    type: z.literal("UpdateVolume"),
    autoBackup: z.boolean().optional(),
    snapshotRetentionDays: retentionDaysSchema.optional(),
  }),
  z.strictObject({ type: z.literal("DestroyVolume") }),
]);
export type VolumeRequest = z.infer<typeof volumeRequestSchema>;

/** The calls about volumes that a host's agent answers. */
export const volumeHostCalls = {
  /** Turn the reservation of the same command id into a volume. Idempotent. */
  commitVolume: call(
    "commit-volume",
    z.object({ ...placedVolume, region: id, epoch: z.number().int().positive() }),
    decided,
  ),
  volume: call("volume", z.object({ volumeId, command: volumeRequestSchema }), decided),
  /** Take a snapshot under an id of the caller's, or destroy it. Idempotent. */
  snapshot: call(
    "snapshot",
    z.object({
      volumeId,
      snapshotId,
      command: z.enum(["TakeSnapshot", "DestroySnapshot"]),
      /** Who wants it: "user", "daily". */
      origin: z.string().max(40).optional(),
    }),
    z.object({ position: positionSchema, snapshot }),
  ),
  /** `usage`: what it holds at this moment, where its store tells in time. */
  getVolume: call(
    "get-volume",
    z.object({ volumeId }),
    decided.extend({
      snapshots: z.array(snapshot),
      usage: z.object({ usedBytes: z.number(), totalBytes: z.number() }).optional(),
    }),
  ),
} as const;

/** To the scheduler: find a host and make the volume there. The command id is that of the create. */
export const placeVolumeCall = call(
  "place-volume",
  z.object({
    ...placedVolume,
    region: regionsSchema,
    features: z.array(featureSchema).optional(),
    /** A machine of this size has to have room beside it at this moment. */
    compute: guestSchema.optional(),
    /** Whose snapshot it begins with. */
    sourceVolumeId: volumeId.optional(),
    /** On a host that has no other volume of its app and name. */
    isAlone: z.boolean().optional(),
  }),
  z.object({ hostId: z.string(), epoch: z.number(), position: positionSchema, volume }),
);

/** The calls that the service `volumes` answers, to the API. It finds the host, and asks until that answers. */
export const volumesCalls = {
  create: call("create", placeVolumeCall.request, placeVolumeCall.answer),
  extend: call("extend", z.object({ volumeId, sizeGb: sizeGbSchema }), decided),
  update: call(
    "update",
    z.object({
      volumeId,
      autoBackup: z.boolean().optional(),
      snapshotRetentionDays: retentionDaysSchema.optional(),
    }),
    decided,
  ),
  destroy: call("destroy", z.object({ volumeId }), decided),
  snapshot: call("snapshot", z.object({ volumeId, snapshotId }), volumeHostCalls.snapshot.answer),
} as const;
