import type { ControlEvent } from "#contracts";
import { accepted, type Decision, refusal, refused, UNCHANGED } from "#kernel";

export interface ClaimMachineName {
  readonly type: "ClaimMachineName";
  readonly appName: string;
  readonly name: string;
  readonly machineId: string;
  /** A machine that held the name and exists no more, as its owner or a projection says. */
  readonly goneHolder?: string;
}

/** The key of a machine name: names are unique within their app. */
export function nameKey(appName: string, name: string): string {
  return `${appName}/${name}`;
}

/** A name falls free with its machine; nobody has to release it, so nothing can forget to. */
export function decideClaimName(
  command: ClaimMachineName,
  holder: string | undefined,
): Decision<ControlEvent> {
  const { type: _, goneHolder, ...claimed } = command;
  if (holder === command.machineId) return UNCHANGED;
  if (holder !== undefined && holder !== goneHolder) {
    const message = `the name ${command.name} belongs to machine ${holder} of app ${command.appName}: choose another`;
    return refused(refusal("name_taken", message, { details: { machineId: holder } }));
  }
  return accepted({ type: "MachineNameClaimed", data: claimed });
}
