export * from "./command.ts";
export * from "./containers/container-runtime.ts";
export * from "./images/image-store.ts";
export * from "./logs/machine-logs.ts";
export * from "./network/machine-network.ts";
export * from "./rootfs/rootfs-store.ts";
