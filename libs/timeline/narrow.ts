import { type DecodedEvent, type RecordedEvent, subjects } from "#contracts";
import { controlLogId, hostsWith, readControl, readControlRange, readMachine, readVolume } from "#event-log";
import type { Stretch } from "./history.ts";

type Connection = Parameters<typeof controlLogId>[0];

/** What is claimed for a machine comes at most so many events of CONTROL before its place is decided. */
const CLAIMS_BEFORE = 2_000;

/** What a narrow stretch is about: events have subjects of their own, and cost the same however long history is (F15). */
export interface Subject {
  readonly kind: "machine" | "volume";
  readonly id: string;
}

export function subjectOf({ machineId, volumeId }: Stretch): Subject | undefined {
  if (machineId !== undefined) return { kind: "machine", id: machineId };
  return volumeId === undefined ? undefined : { kind: "volume", id: volumeId };
}

/** All that is told of a machine or a volume: each host's in its order, CONTROL's in its. */
export async function narrowHistories(
  nc: Connection,
  { kind, id }: Subject,
  good: (history: AsyncIterable<DecodedEvent>) => AsyncGenerator<RecordedEvent>,
): Promise<AsyncGenerator<RecordedEvent>[]> {
  const subject = kind === "machine" ? subjects.machine("*", id) : subjects.volume("*", id);
  const read = kind === "machine" ? readMachine : readVolume;
  const hosts = await hostsWith(nc, subject);
  const ofHosts = () => hosts.map((hostId) => good(read(nc, hostId, id)));
  const names = new Set<string>();
  for (const history of ofHosts()) {
    for await (const { data } of history) {
      if (kind === "machine" && "appName" in data && "name" in data)
        names.add(`${data.appName}_${data.name}`);
      break;
    }
  }
  return [good(controlOf(nc, { kind, id }, names)), ...ofHosts()];
}

/** CONTROL's events of it, in order: its placements, and what was claimed for it. There are few. */
async function* controlOf(
  nc: Connection,
  { kind, id }: Subject,
  names: ReadonlySet<string>,
): AsyncGenerator<DecodedEvent> {
  const found = new Map<number, DecodedEvent>();
  const isAbout = (decoded: DecodedEvent) => {
    if (decoded.kind === "bad") return false;
    const { data } = decoded.event;
    return kind === "machine"
      ? "machineId" in data && data.machineId === id
      : "volumeId" in data && data.volumeId === id;
  };
  const take = (decoded: DecodedEvent) => {
    const sequence = decoded.kind === "event" ? decoded.event.sequence : decoded.sequence;
    if (sequence !== undefined) found.set(sequence, decoded);
  };
  for await (const decoded of readControl(nc, { filter: subjects.control(kind, id) })) take(decoded);
  const first = Math.min(...found.keys());
  if (Number.isFinite(first)) {
    const log = await controlLogId(nc);
    for (const { decoded } of await readControlRange(nc, log, Math.max(1, first - CLAIMS_BEFORE), first)) {
      if (isAbout(decoded)) take(decoded);
    }
  }
  for (const name of names) {
    for await (const decoded of readControl(nc, { filter: subjects.control("name", name) })) {
      if (isAbout(decoded)) take(decoded);
    }
  }
  for (const [, decoded] of [...found].sort(([a], [b]) => a - b)) yield decoded;
}
