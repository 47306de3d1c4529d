export * from "./command.ts";
export * from "./containers/container-runtime.ts";
export * from "./images/image-store.ts";
export { OciImageStore, type OciImageStoreSettings } from "./images/oci-image-store.ts";
export { ImagesOnDisk, SimulatedImageStore, SimulatedRegistry } from "./images/simulated-image-store.ts";
export * from "./logs/machine-logs.ts";
export * from "./names.ts";
export * from "./network/machine-network.ts";
export * from "./rootfs/rootfs-store.ts";
