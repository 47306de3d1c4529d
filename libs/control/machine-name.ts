import type { ControlEvent } from "#contracts";
import { accepted, type Decision, refusal, refused, UNCHANGED } from "#kernel";

/** A claim stands for this long although its machine is nowhere to be seen: its create may still be under way. */
export const NAME_GRACE_MS = 45_000;

/** The machine that a name belongs to, or that wants to be made under it. */
export interface NameHolder {
  readonly machineId: string;
  readonly claimedAtMs: number;
}

export interface ClaimMachineName {
  readonly type: "ClaimMachineName";
  readonly appName: string;
  readonly name: string;
  readonly machineId: string;
  readonly atMs: number;
  /** A holder without a machine, as its owner or a projection says. */
  readonly goneHolder?: GoneHolder;
}

export interface GoneHolder {
  readonly machineId: string;
  /** It was destroyed, or no host took it: it will not come any more. */
  readonly isCertain: boolean;
}

/** The key of a machine name: names are unique within their app. */
export function nameKey(appName: string, name: string): string {
  return `${appName}/${name}`;
}

/** A name falls free with its machine; nobody has to release it, so nothing can forget to. */
export function decideClaimName(
  command: ClaimMachineName,
  holder: NameHolder | undefined,
): Decision<ControlEvent> {
  if (holder === undefined || mayHave(command, holder)) {
    const { appName, name, machineId, atMs: claimedAtMs } = command;
    return accepted({ type: "MachineNameClaimed", data: { appName, name, machineId, claimedAtMs } });
  }
  if (holder.machineId === command.machineId) return UNCHANGED;
  const message = `the name ${command.name} belongs to machine ${holder.machineId} of app ${command.appName}: choose another`;
  return refused(refusal("name_taken", message, { details: { machineId: holder.machineId } }));
}

function mayHave({ machineId, atMs, goneHolder }: ClaimMachineName, holder: NameHolder): boolean {
  const ageMs = atMs - holder.claimedAtMs;
  // A create that is driven again renews its claim, so that nobody takes the name from under it.
  if (holder.machineId === machineId) return ageMs >= NAME_GRACE_MS / 2;
  return holder.machineId === goneHolder?.machineId && (goneHolder.isCertain || ageMs >= NAME_GRACE_MS);
}
