export * from "./images/image-store.ts";
export * from "./logs/machine-logs.ts";
export * from "./rootfs/rootfs-store.ts";
