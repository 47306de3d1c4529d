import type { RecordedEvent } from "#contracts";
import { mountedVolumesOf } from "#contracts";
import type { HostLogView } from "#fleet";
import { isTerminal, type Machine } from "#machines";
import { isGone } from "#volumes";
import { actRule, stateRule } from "./rules.ts";

/** Machines that may write a volume: now, or should their update fail. */
function writersOf(volumeId: string, logs: ReadonlyMap<string, HostLogView>): string[] {
  const writers = new Set<string>();
  for (const { host } of logs.values()) {
    for (const machine of host.machines.values()) if (mayWrite(machine, volumeId)) writers.add(machine.id);
  }
  return [...writers].sort();
}

function mayWrite({ state, config, beforeUpdate }: Machine, volumeId: string): boolean {
  if (config.mounts === undefined && beforeUpdate?.config.mounts === undefined) return false;
  if (isTerminal(state)) return false;
  return [config, beforeUpdate?.config ?? {}].some((each) => mountedVolumesOf(each).includes(volumeId));
}

const TAKES_VOLUMES: ReadonlySet<RecordedEvent["type"]> = new Set([
  "MachineCreating",
  "MachineUpdating",
  "VolumeCreating",
  "HostLogOpened",
  "HostRegistered",
]);

export const oneWriterPerVolume = stateRule({
  name: "one-writer-per-volume",
  says: "a volume is on one host, and one living machine at the most may write it (I6)",
  *all(_, logs) {
    for (const { host } of logs.values()) for (const id of host.volumes.keys()) yield { kind: "volume", id };
  },
  concerned: ({ event, effect }) =>
    TAKES_VOLUMES.has(event.type) ? effect.touched.filter(({ kind }) => kind === "volume") : [],
  broken({ id }, _, logs) {
    const hosts = [...logs].filter(([, { host }]) => {
      const volume = host.volumes.get(id);
      return volume !== undefined && !isGone(volume);
    });
    if (hosts.length > 1) return `hosts ${hosts.map(([hostId]) => hostId).join(" and ")} both have it`;
    const writers = writersOf(id, logs);
    return writers.length > 1 ? `machines ${writers.join(" and ")} may both write it` : undefined;
  },
});

interface Kept {
  readonly snapshotId: string;
  readonly volumeId: string;
  readonly isKnown: boolean;
}

export const snapshotOfKnownVolume = actRule<Kept>({
  name: "snapshot-of-known-volume",
  says: "a snapshot is taken of a volume that its host has",
  before({ view }, event) {
    if (event.type !== "SnapshotCreating") return undefined;
    const { snapshotId, volumeId } = event.data;
    const volume = view.logs.get(event.log)?.host.volumes.get(volumeId);
    return { snapshotId, volumeId, isKnown: volume !== undefined && !isGone(volume) };
  },
  broken({ snapshotId: id, volumeId, isKnown }) {
    if (isKnown) return undefined;
    return {
      entity: { kind: "snapshot", id },
      message: `it is of volume ${volumeId}, which its host has not`,
    };
  },
});
