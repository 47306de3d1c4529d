export * from "./command.ts";
export { ConmonRuntime, type ConmonRuntimeSettings, containerFolders } from "./containers/conmon-runtime.ts";
export * from "./containers/container-runtime.ts";
export type * from "./containers/exec-process.ts";
export type { FaultPoint } from "./fault-point.ts";
export * from "./images/image-store.ts";
export { OciImageStore, type OciImageStoreSettings } from "./images/oci-image-store.ts";
export { ImagesOnDisk, SimulatedImageStore, SimulatedRegistry } from "./images/simulated-image-store.ts";
export * from "./logs/machine-logs.ts";
export { MonitoredMachineLogs, type MonitoredMachineLogsSettings } from "./logs/monitored-machine-logs.ts";
export { SimulatedMachineLogs } from "./logs/simulated-machine-logs.ts";
export * from "./names.ts";
export { BridgeNetwork } from "./network/bridge-network.ts";
export * from "./network/machine-network.ts";
export { purgeHost } from "./purge.ts";
export { mountsUnder } from "./rootfs/mounts.ts";
export { OverlayRootfsStore, type OverlayRootfsStoreSettings } from "./rootfs/overlay-rootfs-store.ts";
export * from "./rootfs/rootfs-store.ts";
export { type SimulatedLayer, SimulatedRootfsStore } from "./rootfs/simulated-rootfs-store.ts";
export { SimulatedContainerRuntime } from "./simulated/simulated-container-runtime.ts";
export {
  CrashedError,
  type SimulatedContainer,
  type SimulatedExit,
  SimulatedKernel,
  type SimulatedLife,
} from "./simulated/simulated-kernel.ts";
export { SimulatedMachineNetwork } from "./simulated/simulated-machine-network.ts";
export {
  GuardedVolumeStore,
  type StorageSuspicion,
  type SuspicionListener,
} from "./volumes/guarded-volume-store.ts";
export {
  type OpenedVolumeStore,
  openVolumeStore,
  type VolumeStoreSettings,
} from "./volumes/open-volume-store.ts";
export { SimulatedPool, SimulatedVolumeStore } from "./volumes/simulated-volume-store.ts";
export * from "./volumes/volume-store.ts";
