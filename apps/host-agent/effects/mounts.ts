import { mountsOf } from "#contracts";
import { TerminalError } from "#kernel";
import type { Machine } from "#machines";
import type { LaunchMount, VolumeStore } from "#runtime";
import type { Volume } from "#volumes";

/** What is mounted into a machine. */
export type MountsOf = (machine: Machine) => readonly LaunchMount[];

/** A machine never runs without the data that it was promised: `TerminalError` when the volume is not its own (I6). */
export function launchMounts(
  store: VolumeStore,
  volumeOf: (volumeId: string) => Volume | undefined,
): MountsOf {
  return ({ id, config }) =>
    mountsOf(config).map(({ volume: volumeId, path }) => {
      if (volumeOf(volumeId)?.attachedMachineId === id) {
        return { source: store.pathOf(volumeId), destination: path };
      }
      const message = `volume ${volumeId} is not attached to machine ${id} on this host: update the machine`;
      throw new TerminalError("volume_not_found", message);
    });
}
