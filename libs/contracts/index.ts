export * from "./archive.ts";
export * from "./call.ts";
export * from "./calls.ts";
export * from "./codec.ts";
export * from "./event.ts";
export { controlEvents } from "./events/control.ts";
export { hostEvents } from "./events/host.ts";
export * from "./events/machine.ts";
export * from "./events/operation.ts";
export { volumeEvents } from "./events/volume.ts";
export * from "./exec.ts";
export * from "./first-issue.ts";
export * from "./hostname.ts";
export * from "./load.ts";
export * from "./machine-config.ts";
export * from "./placement.ts";
export * from "./replay-json.ts";
export * from "./service.ts";
export * from "./subjects.ts";
export * from "./trace.ts";
export * from "./upcast.ts";
export * from "./volume.ts";
export {
  type VolumeRequest,
  volumeRequestSchema,
  volumesCalls,
} from "./volume-calls.ts";
