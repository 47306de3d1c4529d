export { privateIpOf } from "./address.ts";
export * from "./bid.ts";
export { promisedOf } from "./capacity.ts";
export * from "./command.ts";
export * from "./decide.ts";
export { evolveHost, isMachineEvent } from "./evolve.ts";
export * from "./state.ts";
