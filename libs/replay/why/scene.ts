import type { RecordedEvent } from "#contracts";
import { findMachine, findVolume, type Moment } from "#fleet";
import { type Entity, hostIdOf, type Timeline, type World } from "#timeline";
import { retell, type Told } from "../blame-history.ts";
import { isPlacement } from "./placement-cause.ts";
import type { Scene } from "./waiting.ts";

/** Kept of one thing's history: older events are told of by `replay log`. */
const MOST = 5_000;

/** What is known of a machine or a volume at a moment, its own events with it. `nowMs`: what is waited for since then. */
export async function sceneOf(
  timeline: Timeline,
  entity: Entity,
  world: World,
  nowMs: number,
): Promise<Scene> {
  let told: Told[] = [];
  for await (const each of retell(timeline, entity, world)) {
    told.push(each);
    if (told.length >= 2 * MOST) told = [...told.slice(0, -MOST).filter(isBirth), ...told.slice(-MOST)];
  }
  const own = told.filter(({ event }) => isOf(event, entity));
  return { world, nowMs, told: await withReservation(timeline, entity, own) };
}

/** Events between a reservation and its commit, of all that a host does meanwhile. */
const RESERVED_BEFORE = 500;

/**
 * Reservations stand among their host's own events, which a reading of one machine may leave out: the one that was
 * committed is found a little before that.
 */
async function withReservation(timeline: Timeline, entity: Entity, told: readonly Told[]): Promise<Told[]> {
  const birth = told.findLast(({ event }) => /^(Machine|Volume)Creating$/.test(event.type))?.event;
  if (birth === undefined || told.some(({ event }) => event.type === "ReservationMade")) return [...told];
  const { log, sequence } = birth;
  const hostId = hostIdOf(birth);
  const stretch = {
    ...(hostId === undefined ? {} : { hostId }),
    after: { [log]: Math.max(0, sequence - RESERVED_BEFORE) },
    until: { kind: "position", position: { [log]: sequence } },
  } as const;
  const made: Told[] = [];
  for await (const batch of timeline.history.arrivals(stretch)) {
    for (const event of batch) {
      if (event.type === "ReservationMade" && isOf(event, entity)) made.push({ event, changes: [] });
    }
  }
  return [...made, ...told].sort((a, b) => (a.event.header.clock < b.event.header.clock ? -1 : 1));
}

/** Why it is where it is has to be told also of what is old. */
function isBirth({ event }: Told): boolean {
  return isPlacement(event) || event.type === "MachineCreating" || event.type === "VolumeCreating";
}

/** Read with it, for what they change of it: first events of logs, and events of the machine that has a volume. */
function isOf({ data, type }: RecordedEvent, { kind, id }: Entity): boolean {
  if (type === "HostLogOpened") return false;
  if (kind === "machine") return "machineId" in data && data.machineId === id;
  return "volumeId" in data && data.volumeId === id;
}

/** What is "now" at a moment: for one in the past, when it was. */
export function nowAt(at: Moment, world: World, nowMs: number): number {
  if (at.kind === "now") return Math.max(nowMs, world.nowMs);
  return at.kind === "time" ? Math.max(at.atMs, world.nowMs) : world.nowMs;
}

/** The operation that goes on with a machine or a volume. */
export function operationOf({ view }: World, { kind, id }: Entity) {
  return kind === "machine"
    ? findMachine(view, id)?.machine?.operation
    : findVolume(view, id)?.volume?.operation;
}
