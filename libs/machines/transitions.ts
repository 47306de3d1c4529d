import type { MachineStateName } from "./state.ts";

/**
 * The whole transition table (features §1, completed where it is silent: `creating` may fail, be destroyed or become
 * created; `launch_failed` leads to destroying; any settled machine may migrate). The decider is property-tested
 * against it; nothing else may move a machine.
 */
export const TRANSITIONS: Readonly<Record<MachineStateName, readonly MachineStateName[]>> = {
  creating: ["created", "launch_failed"],
  created: ["starting", "stopping", "updating", "destroying", "migrated"],
  starting: ["started", "failed", "launch_failed"],
  started: ["stopping", "suspending", "restarting", "updating", "destroying", "migrated"],
  restarting: ["starting"],
  suspending: ["suspended", "failed"],
  suspended: ["starting", "stopping", "updating", "destroying", "migrated"],
  stopping: ["stopped", "failed"],
  stopped: ["starting", "updating", "destroying", "migrated"],
  failed: ["starting", "stopping", "updating", "destroying"],
  updating: ["starting", "created", "stopped"],
  replacing: ["replaced", "destroying"],
  launch_failed: ["destroying"],
  destroying: ["destroyed"],
  destroyed: [],
  replaced: [],
  migrated: [],
};

/** Whether the table has that edge. Staying in a state is not a transition and always allowed. */
export function mayTransition(from: MachineStateName, to: MachineStateName): boolean {
  return from === to || TRANSITIONS[from].includes(to);
}
