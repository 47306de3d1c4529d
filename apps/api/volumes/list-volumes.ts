import type { FleetReader, LocatedVolume } from "../fleet/fleet-reader.ts";
import type { OrgVolumesQuery } from "./requests.ts";

/** A page of an organization's volumes in the order of their updates, the oldest first: from memory, where all are. */
export function volumesOfOrg(fleet: FleetReader, orgSlug: string, query: OrgVolumesQuery): LocatedVolume[] {
  const { include_deleted: withGone = false, region, state: states, cursor: after, limit } = query;
  const { updated_after: afterMs = Number.NEGATIVE_INFINITY } = query;
  const isMeant = ({ volume }: LocatedVolume) =>
    fleet.control.apps.get(volume.appName)?.orgSlug === orgSlug &&
    (withGone || volume.state !== "destroyed") &&
    (region === undefined || volume.region === region) &&
    (states === undefined || states.includes(volume.state)) &&
    (after === undefined
      ? volume.updatedAtMs > afterMs
      : volume.updatedAtMs > after.updatedAtMs ||
        (volume.updatedAtMs === after.updatedAtMs && volume.id > after.machineId));
  return fleet.volumesOf().filter(isMeant).sort(byUpdate).slice(0, limit);
}

function byUpdate({ volume: a }: LocatedVolume, { volume: b }: LocatedVolume): number {
  return a.updatedAtMs - b.updatedAtMs || (a.id < b.id ? -1 : 1);
}
