export type { CreateMachine, MachineCommand, UserMachineCommand } from "./command.ts";
export { decideCreate, decideMachine } from "./decide.ts";
export { bornFrom, evolveMachine, RESTART_WINDOW_MS } from "./evolve.ts";
export { type MachineOperationKind, type MachineStep, startIdOf } from "./plan.ts";
export { isCancelled, type OwedCommand, owedCommand } from "./react.ts";
export {
  type BeforeUpdate,
  heldResources,
  isTerminal,
  isTransient,
  MACHINE_STATES,
  type Machine,
  type MachineStateName,
} from "./state.ts";
export { mayTransition, TRANSITIONS } from "./transitions.ts";
