export * from "./command.ts";
export * from "./decide.ts";
export { bornFrom, evolveMachine, RESTART_WINDOW_MS } from "./evolve.ts";
export type { MachineOperationKind, MachineStep } from "./plan.ts";
export * from "./react.ts";
export * from "./state.ts";
export * from "./transitions.ts";
