import type { RecordedEvent, Resources } from "#contracts";
import { type HostLogView } from "#fleet";
import { claimantId, type Host, promisedOf } from "#hosts";
import { wallMsOf } from "#kernel";
import { heldResources } from "#machines";
import { type Entity, hostIdOf, type World } from "#timeline";
import { heldMibOf } from "#volumes";
import { Check, type Invariant, NOTHING, type Status, type Step } from "./invariant.ts";
import { actRule } from "./rules.ts";

const KINDS = [
  ["cpuMillis", "CPU millis"],
  ["memoryMib", "MiB of memory"],
  ["volumeMib", "MiB for volumes"],
] as const;

/** The host in whose log an event stands, before or after it. */
function hostOf({ view }: World, { log }: RecordedEvent): Host | undefined {
  return view.logs.get(log)?.host;
}

/**
 * I8, F25. A host that came to have less than it promised keeps its promises: what is wrong is to promise more while it
 * does. What a snapshot turned out to hold is no promise but a measurement.
 */
class Overcommit extends Check {
  #promised: Resources | undefined;
  readonly #open = new Set<string>();

  override before(world: World, event: RecordedEvent): void {
    const host = hostOf(world, event);
    this.#promised = host && promisedOf(host);
  }

  override after({ event, world }: Step): readonly Status[] {
    const host = hostOf(world, event);
    if (host === undefined) return NOTHING;
    const before = this.#promised;
    const promised = promisedOf(host);
    if (before === promised && event.type !== "HostCapacityMeasured") return NOTHING;
    const id = hostIdOf(event) ?? host.id;
    const isPromise = event.type !== "HostLogOpened" && event.type !== "SnapshotCreated";
    return KINDS.flatMap(([key, name]) => {
      const [now, then, has] = [promised[key] ?? 0, before?.[key] ?? 0, host.capacity[key] ?? 0];
      const place = `${id} ${key}`;
      const isOpen = this.#open.has(place);
      const isOver = now > has;
      if (!isOver && isOpen) this.#open.delete(place);
      if (!isOver) return isOpen ? [{ entity: { kind: "host", id }, key } as const] : [];
      if (isOpen || now <= then || !isPromise) return [];
      this.#open.add(place);
      return [
        {
          entity: { kind: "host", id },
          key,
          broken: `${now} ${name} promised, and there are ${has}`,
        } as const,
      ];
    });
  }
}

export const noOvercommit: Invariant = {
  name: "no-overcommit",
  says: "no host promises more than it has (I8)",
  check: () => new Overcommit(),
};

/** What each machine, reservation, volume and snapshot of a log holds, counted apart from the fold's own count. */
interface Count {
  readonly held: Map<string, Resources>;
  readonly total: { cpuMillis: number; memoryMib: number; volumeMib: number };
}

class Recount extends Check {
  readonly #counts = new Map<string, Count>();
  #claimed: string | undefined;
  readonly #open = new Set<string>();

  override begin({ view }: World): Status[] {
    return [...view.logs].flatMap(([log, { host, hostId }]) => {
      const count = countOf(host);
      this.#counts.set(log, count);
      return this.#compare(hostId, host, count).filter(({ broken }) => broken !== undefined);
    });
  }

  override before(world: World, event: RecordedEvent): void {
    const data = event.data as Readonly<Record<string, string | undefined>>;
    this.#claimed = hostOf(world, event)?.holdings.reservationOf.get(claimantId(data));
  }

  override after({ event, world, effect }: Step): readonly Status[] {
    const host = hostOf(world, event);
    if (host === undefined) return NOTHING;
    const known = this.#counts.get(event.log);
    const count = known === undefined || event.type === "HostLogOpened" ? countOf(host) : known;
    this.#counts.set(event.log, count);
    for (const { kind, id } of effect.touched) recount(count, kind, id, host);
    if (this.#claimed !== undefined) recount(count, "reservation", this.#claimed, host);
    return this.#compare(hostIdOf(event) ?? host.id, host, count);
  }

  #compare(id: string, host: Host, { total }: Count): Status[] {
    const promised = promisedOf(host);
    const entity: Entity = { kind: "host", id };
    const wrong = KINDS.filter(([key]) => (promised[key] ?? 0) !== total[key]);
    if (wrong.length === 0) return this.#open.delete(id) ? [{ entity }] : [];
    this.#open.add(id);
    const said = wrong.map(([key, name]) => `${promised[key] ?? 0} ${name} where ${total[key]} are held`);
    return [{ entity, broken: `it takes for promised ${said.join(", ")}` }];
  }
}

function countOf(host: Host): Count {
  const count: Count = { held: new Map(), total: { cpuMillis: 0, memoryMib: 0, volumeMib: 0 } };
  for (const id of host.machines.keys()) recount(count, "machine", id, host);
  for (const id of host.reservations.keys()) recount(count, "reservation", id, host);
  for (const id of host.volumes.keys()) recount(count, "volume", id, host);
  for (const id of host.snapshots.keys()) recount(count, "snapshot", id, host);
  return count;
}

function recount({ held, total }: Count, kind: Entity["kind"], id: string, host: Host): void {
  const now = heldBy(kind, id, host);
  const key = `${kind} ${id}`;
  const before = held.get(key);
  for (const [each] of KINDS) total[each] += (now?.[each] ?? 0) - (before?.[each] ?? 0);
  if (now === undefined || isNothing(now)) held.delete(key);
  else held.set(key, now);
}

function isNothing(held: Resources): boolean {
  return KINDS.every(([key]) => (held[key] ?? 0) === 0);
}

function heldBy(kind: Entity["kind"], id: string, host: Host): Resources | undefined {
  switch (kind) {
    case "machine": {
      const machine = host.machines.get(id);
      return machine && heldResources(machine);
    }
    case "reservation":
      return host.reservations.get(id)?.resources;
    case "volume": {
      const volume = host.volumes.get(id);
      return volume && { cpuMillis: 0, memoryMib: 0, volumeMib: heldMibOf(volume) };
    }
    case "snapshot": {
      const snapshot = host.snapshots.get(id);
      return snapshot && { cpuMillis: 0, memoryMib: 0, volumeMib: snapshot.heldMib };
    }
    default:
      return undefined;
  }
}

export const capacityCountedRight: Invariant = {
  name: "capacity-counted-right",
  says: "what a host takes for promised is what its machines, reservations, volumes and snapshots hold",
  check: () => new Recount(),
};

interface Coming {
  readonly hostId: string;
  readonly what: string;
  readonly until: number;
  readonly owner: string;
}

export const cordonedHostTakesNothingNew = actRule<Coming>({
  name: "cordoned-host-takes-nothing-new",
  says: "a cordoned host promises room to nobody, and makes only what it had set room aside for (F24)",
  before(world, event) {
    const log = world.view.logs.get(event.log);
    if (log?.host.cordon === undefined || !isComing(event, log)) return undefined;
    const { owner, expiresAtMs: until } = log.host.cordon;
    const what = claimantId(event.data as Readonly<Record<string, string | undefined>>);
    return { hostId: log.hostId, what, until, owner };
  },
  broken({ hostId, what, until, owner }, { event }) {
    if (until <= decidedAtMs(event)) return undefined;
    const message = `${event.type} of ${what} while ${owner} has it cordoned until ${new Date(until).toISOString()}`;
    return { entity: { kind: "host", id: hostId }, message };
  },
});

/** Whether the event brings what no room was set aside for. */
function isComing(event: RecordedEvent, { host }: HostLogView): boolean {
  if (event.type === "ReservationMade") return true;
  if (event.type !== "MachineCreating" && event.type !== "VolumeCreating") return false;
  const reservation = host.reservations.get(event.data.operation.id);
  return reservation === undefined || claimantId(reservation) !== claimantId(event.data);
}

/** The time that the decider was given; a hybrid clock may be ahead of it. */
function decidedAtMs({ decision, header }: RecordedEvent): number {
  const given = decision?.inputs.atMs;
  return typeof given === "number" ? given : wallMsOf(header.clock);
}
