import { z } from "zod";
import { operationStartSchema, stepCompletedSchema, stepErrorShape, stepFailedSchema } from "./operation.ts";

const volume = { volumeId: z.string() };
const snapshot = { ...volume, snapshotId: z.string() };
const begins = { operation: operationStartSchema };
const ends = { operationId: z.string() };
/** A step of the volume's own operation, or of that of one of its snapshots. */
const step = { ...volume, snapshotId: z.string().optional() };

/**
 * Events of one volume and of its snapshots, on `evt.host.<hostId>.volume.<volumeId>`. Which machine a volume is attached
 * to follows from the machines' own events. Golden: versions are added, never changed.
 */
export const volumeEvents = {
  /** A reservation was committed: the volume exists, and is being made, empty, from a snapshot or from another volume. */
  VolumeCreating: z.strictObject({
    ...volume,
    ...begins,
    appName: z.string(),
    name: z.string(),
    region: z.string(),
    epoch: z.number().int().positive(),
    sizeGb: z.number().int().positive(),
    autoBackup: z.boolean(),
    snapshotRetentionDays: z.number().int().positive(),
    sourceSnapshotId: z.string().optional(),
    /** It begins with what this volume holds by then. Since version 2. */
    sourceVolumeId: z.string().optional(),
    createdAtMs: z.number(),
  }),
  /** `fstype`: what its host keeps it on. */
  VolumeCreated: z.strictObject({ ...volume, ...ends, fstype: z.string() }),
  /** It could not be made; `operation` takes away what was begun. */
  VolumeCreateFailed: z.strictObject({ ...volume, ...ends, ...begins, error: stepErrorShape }),
  VolumeExtending: z.strictObject({ ...volume, ...begins, sizeGb: z.number().int().positive() }),
  VolumeExtended: z.strictObject({ ...volume, ...ends }),
  /** It has the size that it had. */
  VolumeExtendFailed: z.strictObject({ ...volume, ...ends, error: stepErrorShape }),
  VolumeUpdated: z.strictObject({
    ...volume,
    commandId: z.string(),
    autoBackup: z.boolean(),
    snapshotRetentionDays: z.number().int().positive(),
  }),
  VolumeDestroying: z.strictObject({ ...volume, ...begins, origin: z.string() }),
  /** Its data are gone. Its snapshots are not. */
  VolumeDestroyed: z.strictObject({ ...volume, ...ends }),
  /** `reservedMib`: what the snapshot may take until its size is known. */
  SnapshotCreating: z.strictObject({
    ...snapshot,
    ...begins,
    origin: z.string(),
    reservedMib: z.number().int().min(0),
    retentionDays: z.number().int().positive(),
    createdAtMs: z.number(),
  }),
  SnapshotCreated: z.strictObject({ ...snapshot, ...ends, sizeBytes: z.number().int().min(0) }),
  /** It could not be made; `operation` takes away what was begun. */
  SnapshotCreateFailed: z.strictObject({ ...snapshot, ...ends, ...begins, error: stepErrorShape }),
  SnapshotDestroying: z.strictObject({ ...snapshot, ...begins, origin: z.string() }),
  SnapshotDestroyed: z.strictObject({ ...snapshot, ...ends }),
  VolumeStepCompleted: z.strictObject({ ...step, ...stepCompletedSchema.shape }),
  VolumeStepFailed: z.strictObject({ ...step, ...stepFailedSchema.shape }),
  /** Commands to the volume or a snapshot of it that were refused, coalesced as for machines. */
  VolumeCommandRefused: z.strictObject({
    ...step,
    command: z.string(),
    code: z.string(),
    message: z.string(),
    count: z.number().int().positive(),
  }),
} as const;
