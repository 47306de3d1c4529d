import type { HostLogEvent } from "#contracts";
import { type ControlCommand, type ControlState, decideControl, rankDrawn } from "#control";
import { decideHost, type Host, type HostCommand } from "#hosts";
import type { Decision } from "#kernel";

/** Everything that decides. Pure functions, so that what was decided can be decided again, by these or by others. */
export interface Deciders {
  readonly decideHost: (command: HostCommand, host: Host) => Decision<HostLogEvent>;
  readonly decideControl: (command: ControlCommand, state: ControlState) => ReturnType<typeof decideControl>;
  /** Orders the hosts that would take a machine or a volume, best first. */
  readonly rank: typeof rankDrawn;
}

/** Those of this very release. */
export const PRESENT_DECIDERS: Deciders = { decideHost, decideControl, rank: rankDrawn };
