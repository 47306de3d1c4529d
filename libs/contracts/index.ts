export * from "./codec.ts";
export * from "./event.ts";
export { controlEvents } from "./events/control.ts";
export { hostEvents } from "./events/host.ts";
export * from "./events/machine.ts";
export * from "./events/operation.ts";
export * from "./machine-config.ts";
export * from "./subjects.ts";
export * from "./upcast.ts";
