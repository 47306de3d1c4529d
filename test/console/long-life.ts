import type { RecordedEvent } from "#contracts";
import { SimulatedFleet } from "#testing";

const HOSTS = 10;

/**
 * A fleet of many machines that sleep and wake until so many events have happened: for measuring. What has been told is
 * let go of, so memory does not grow with the length of the history.
 */
export function* longLife(machines: number, events: number): Generator<readonly RecordedEvent[]> {
  const fleet = new SimulatedFleet(11);
  const taken = new Map<string, number>();
  const hosts = Array.from({ length: HOSTS }, (_, number) => `host-${number + 1}`);
  for (const hostId of hosts) fleet.join(hostId);
  const living = Array.from({ length: machines }, (_, number) => {
    const hostId = hosts[number % HOSTS]!;
    return { hostId, id: fleet.create(hostId, { name: `web-${number + 1}` }) };
  });
  for (let told = 0, number = 0; told < events; number += 1) {
    const { hostId, id } = living[Math.floor(fleet.ids.random() * living.length)]!;
    fleet.clock.jump(1 + Math.floor(fleet.ids.random() * 40));
    if (!fleet.step(hostId, id)) {
      const isUp = fleet.host(hostId).machines.get(id)?.state === "started";
      fleet.command(hostId, id, { type: isUp ? "StopMachine" : "StartMachine", origin: "user" });
    }
    if (number % 5_000 !== 4_999) continue;
    const batch = newEvents(fleet, taken);
    told += batch.length;
    yield batch;
  }
}

/** What happened since the last time, in the order in which it was decided. */
function newEvents(fleet: SimulatedFleet, taken: Map<string, number>): RecordedEvent[] {
  const fresh: RecordedEvent[] = [];
  for (const [log, events] of fleet.logs) {
    const from = taken.get(log) ?? 0;
    fresh.push(...events.slice(from));
    taken.set(log, events.length);
    // The fleet counts its events by the length of the list, and needs none of them again.
    (events as (RecordedEvent | undefined)[]).fill(undefined, from);
  }
  return fresh.sort((a, b) => (a.header.clock < b.header.clock ? -1 : 1));
}
