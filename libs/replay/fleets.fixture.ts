import type { RecordedEvent } from "#contracts";
import { listMachines, listVolumes } from "#fleet";
import { SimulatedFleet } from "#testing";
import { type Entity, ListedHistory, Timeline, type World } from "#timeline";

/** A fleet of three hosts that lived for so many moments. */
export function livedFleet(seed: number, moments: number): SimulatedFleet {
  const fleet = new SimulatedFleet(seed);
  for (const hostId of ["h1", "h2", "h3"]) fleet.join(hostId);
  for (let moment = 0; moment < moments; moment += 1) fleet.live();
  return fleet;
}

export function timelineOf(events: Iterable<RecordedEvent>): Timeline {
  return new Timeline({ history: new ListedHistory(events), onUnreadable: () => undefined });
}

/** Everything that there is in a world. */
export function entitiesOf({ view }: World): Entity[] {
  const hosts = new Set([...view.control.hosts.keys(), ...[...view.logs.values()].map((log) => log.hostId)]);
  const reservations = [...view.logs.values()].flatMap(({ host }) => [...host.reservations.keys()]);
  return [
    ...listMachines(view).map(({ machineId: id }): Entity => ({ kind: "machine", id })),
    ...listVolumes(view).map(({ volumeId: id }): Entity => ({ kind: "volume", id })),
    ...[...hosts].map((id): Entity => ({ kind: "host", id })),
    ...[...view.control.apps.keys()].map((id): Entity => ({ kind: "app", id })),
    ...[...new Set(reservations)].map((id): Entity => ({ kind: "reservation", id })),
  ];
}

/** The moment right after an event. */
export function momentOf({ log, sequence, header }: RecordedEvent) {
  return { kind: "event", log, sequence, clock: header.clock } as const;
}
