export type { CreateVolume, SnapshotCommand, TakeSnapshot, VolumeCommand } from "./command.ts";
export { decideCreateVolume, decideVolume } from "./decide.ts";
export { evolveVolume, isSnapshotEvent, type SnapshotEvent, volumeFrom } from "./evolve.ts";
export { evolveSnapshot, snapshotFrom } from "./evolve-snapshot.ts";
export { newSnapshotId, newVolumeId } from "./ids.ts";
export type { VolumeOperationKind, VolumeStep } from "./plan.ts";
export { refuseFork } from "./refuse.ts";
export { decideSnapshot, decideTakeSnapshot } from "./snapshot.ts";
export {
  heldMibOf,
  isGone,
  promisedGbOf,
  type Snapshot,
  type SnapshotStateName,
  VOLUME_STATES,
  type Volume,
  type VolumeStateName,
} from "./state.ts";
