import { claimantId, type Reservation } from "#hosts";
import type { World } from "#timeline";
import { AwakeTime, Due } from "./awake-time.ts";
import { Check, type Invariant, NOTHING, type Status, type Step } from "./invariant.ts";

/** What the end of a reservation may take beyond its time: the way into the log of a host that has much to write. */
const SLACK_MS = 60_000;

interface LogLeases {
  readonly time: AwakeTime;
  readonly due: Due<Reservation>;
  /** Reservations that stand beyond their time. */
  readonly open: Set<string>;
}

/** A reservation is a lease on room: it ends by its machine, by a refusal, or by itself. */
class LeasesEnd extends Check {
  readonly #logs = new Map<string, LogLeases>();

  override begin({ view }: World): readonly Status[] {
    for (const [log, { host }] of view.logs) {
      const leases = this.#of(log);
      for (const reservation of host.reservations.values())
        leases.due.set(reservation.id, timeOf(reservation), reservation);
    }
    return NOTHING;
  }

  override after({ event, world, effect }: Step): readonly Status[] {
    const host = world.view.logs.get(event.log)?.host;
    if (host === undefined) return NOTHING;
    const { time, due, open } = this.#of(event.log);
    time.note(event);
    // A successor begins with the reservations of the log before it, and an agent that starts gives them their time anew.
    if (event.type === "HostLogOpened") {
      for (const one of host.reservations.values()) due.set(one.id, time.ms + timeOf(one), one);
    } else if (event.type === "AgentEpochClaimed") due.postpone(time.ms, timeOf);
    if (event.type === "ReservationMade") {
      const made = host.reservations.get(event.data.reservationId);
      if (made !== undefined) due.set(made.id, time.ms + timeOf(made), made);
    }
    const ended: Status[] = [];
    for (const { kind, id } of effect.touched) {
      if (kind !== "reservation" || host.reservations.has(id)) continue;
      due.delete(id);
      if (open.delete(id)) ended.push({ entity: { kind, id } });
    }
    const left = leftBehind(
      event.type,
      claimantOf(event.data),
      host.reservations,
      host.holdings.reservationOf,
    );
    const late = due.overdue(time.ms).filter(([id]) => host.reservations.has(id));
    if (late.length === 0 && left === undefined) return ended;
    return [
      ...ended,
      ...late.map(([id, lease]) => overdue(id, lease, open)),
      ...(left === undefined ? [] : [left]),
    ];
  }

  #of(log: string): LogLeases {
    const known = this.#logs.get(log) ?? { time: new AwakeTime(), due: new Due(), open: new Set() };
    this.#logs.set(log, known);
    return known;
  }
}

function timeOf({ ttlMs }: Reservation): number {
  return ttlMs + SLACK_MS;
}

function claimantOf(data: object): string {
  return claimantId(data as Readonly<Record<string, string | undefined>>);
}

/** A machine or volume that came to be, and has room set aside still: it would count twice. */
function leftBehind(
  type: string,
  claimant: string,
  reservations: ReadonlyMap<string, Reservation>,
  reservationOf: ReadonlyMap<string, string>,
): Status | undefined {
  if (type !== "MachineCreating" && type !== "VolumeCreating") return undefined;
  const id = reservationOf.get(claimant);
  if (id === undefined || !reservations.has(id)) return undefined;
  return {
    entity: { kind: "reservation", id },
    key: "left",
    isAct: true,
    broken: `${claimant} is made, and its reservation stands`,
  };
}

function overdue(id: string, { ttlMs, ...lease }: Reservation, open: Set<string>): Status {
  open.add(id);
  const broken = `room for ${claimantId(lease)} is set aside beyond its time of ${ttlMs} ms`;
  return { entity: { kind: "reservation", id }, broken };
}

export const leasesRespected: Invariant = {
  name: "leases-respected",
  says: "room set aside ends with what it was set aside for, or when its time is up while its host is at work",
  check: () => new LeasesEnd(),
};
