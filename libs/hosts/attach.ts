import { mountedVolumesOf } from "#contracts";
import { type Refusal, refusal } from "#kernel";
import { isTerminal, type Machine } from "#machines";
import type { Volume } from "#volumes";
import type { Host } from "./state.ts";

const NONE: readonly string[] = [];

/** The volumes that a machine keeps from others: all that it may write, now or should its update fail. */
export function volumesOf({ state, config, beforeUpdate }: Machine): readonly string[] {
  if (config.mounts === undefined && beforeUpdate?.config.mounts === undefined) return NONE;
  if (isTerminal(state)) return NONE;
  return [...mountedVolumesOf(config), ...mountedVolumesOf(beforeUpdate?.config ?? {})];
}

/** Follows a machine from one state to the next: a volume is attached to who mounts it, until that one is gone (I6). */
export function attachVolumes(host: Host, before: Machine | undefined, after: Machine): void {
  const kept = volumesOf(after);
  for (const volumeId of before === undefined ? NONE : volumesOf(before)) {
    const volume = host.volumes.get(volumeId);
    if (volume?.attachedMachineId !== after.id || kept.includes(volumeId)) continue;
    const { attachedMachineId: _, ...detached } = volume;
    host.volumes.set(volumeId, detached);
  }
  for (const volumeId of kept) {
    const volume = host.volumes.get(volumeId);
    if (volume !== undefined) host.volumes.set(volumeId, { ...volume, attachedMachineId: after.id });
  }
}

/** Who wants to mount volumes. */
export interface Mounter {
  readonly machineId: string;
  readonly appName: string;
  readonly volumes?: readonly string[] | undefined;
}

/** Whether a machine may have these volumes: they are here, its app's, made, and nobody else's (I6). */
export function refuseAttach(
  host: Host,
  { machineId, appName, volumes = NONE }: Mounter,
): Refusal | undefined {
  for (const volumeId of volumes) {
    const volume = host.volumes.get(volumeId);
    const reason =
      volume?.appName === appName ? refuseToAttach(volume, machineId) : volumeNotFound(host, volumeId);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function refuseToAttach({ id, state, attachedMachineId: holder }: Volume, machineId: string) {
  if (state !== "created" && state !== "extending") {
    const message = `volume ${id} is ${state}: it cannot be mounted`;
    return refusal("wrong_state", message, { details: { volumeId: id, state } });
  }
  if (holder === undefined || holder === machineId) return undefined;
  const message = `volume ${id} is attached to machine ${holder}: destroy that first, or take another volume`;
  return refusal("volume_in_use", message, { details: { volumeId: id, machineId: holder } });
}

export function volumeNotFound({ id }: Host, volumeId: string): Refusal {
  return refusal("volume_not_found", `no volume ${volumeId} of this app is on host ${id}`);
}
