import { type DecodedEvent, type RecordedEvent, subjects } from "#contracts";
import { controlLogId, hostsWith, readControl, readControlRange, readMachine, readVolume } from "#event-log";
import { wallMsOf } from "#kernel";
import type { Stretch } from "./history.ts";

type Connection = Parameters<typeof controlLogId>[0];

/** What is claimed for a machine comes at most so many events of CONTROL before its place is decided. */
const CLAIMS_BEFORE = 2_000;
/** A reservation is made shortly before its machine or volume, and lapses shortly after. */
const AROUND_MS = 20_000;

/** What a narrow stretch is about: events have subjects of their own, and cost the same however long history is (F15). */
export interface Subject {
  readonly kind: "machine" | "volume";
  readonly id: string;
}

export function subjectOf({ machineId, volumeId }: Stretch): Subject | undefined {
  if (machineId !== undefined) return { kind: "machine", id: machineId };
  return volumeId === undefined ? undefined : { kind: "volume", id: volumeId };
}

/** What hosts say of themselves in a time, epoch milliseconds; more than that does not matter. */
export type HostEventsAround = (fromMs: number, toMs: number) => AsyncIterable<RecordedEvent>;

/**
 * All that is told of a machine or a volume: each host's in its order, CONTROL's in its. Hosts reserve room for it under
 * their own subject: that is looked for around the times of its placements.
 */
export async function narrowHistories(
  nc: Connection,
  subject: Subject,
  good: (history: AsyncIterable<DecodedEvent>) => AsyncGenerator<RecordedEvent>,
  hostEventsAround: HostEventsAround,
): Promise<AsyncIterable<RecordedEvent>[]> {
  const { kind, id } = subject;
  const filter = kind === "machine" ? subjects.machine("*", id) : subjects.volume("*", id);
  const read = kind === "machine" ? readMachine : readVolume;
  const hosts = await hostsWith(nc, filter);
  const births: RecordedEvent[] = [];
  for (const hostId of hosts) {
    for await (const event of good(read(nc, hostId, id))) {
      births.push(event);
      break;
    }
  }
  const control: RecordedEvent[] = [];
  for await (const event of good(controlOf(nc, subject, births.flatMap(nameIn)))) control.push(event);
  const claims = new Map<string, RecordedEvent>();
  const times = [...births, ...control].map(({ header }) => wallMsOf(header.clock));
  for (const [fromMs, toMs] of spansAround(times)) {
    for await (const event of hostEventsAround(fromMs, toMs)) {
      const isHosts = event.subject.endsWith(".host");
      if (isHosts && isAbout(subject, event)) claims.set(`${event.log}:${event.sequence}`, event);
    }
  }
  return [
    each(control),
    ...hosts.map((hostId) => good(read(nc, hostId, id))),
    ...inLogs([...claims.values()]),
  ];
}

/** The subject's token under which CONTROL keeps a machine's name. */
function nameIn({ data }: RecordedEvent): string[] {
  return "appName" in data && "name" in data ? [`${data.appName}_${data.name}`] : [];
}

/** Times with what is around them, those that meet taken together. */
function spansAround(times: readonly number[]): [number, number][] {
  const spans: [number, number][] = [];
  for (const ms of [...times].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && ms - AROUND_MS <= last[1]) last[1] = ms + AROUND_MS;
    else spans.push([ms - AROUND_MS, ms + AROUND_MS]);
  }
  return spans;
}

function isAbout({ kind, id }: Subject, { data }: RecordedEvent): boolean {
  if (kind === "machine") return "machineId" in data && data.machineId === id;
  return "volumeId" in data && data.volumeId === id;
}

/** A history for each log. */
function inLogs(events: readonly RecordedEvent[]): AsyncIterable<RecordedEvent>[] {
  const logs = Map.groupBy(events, ({ log }) => log);
  return [...logs.values()].map((own) => each(own.sort((a, b) => a.sequence - b.sequence)));
}

async function* each(events: readonly RecordedEvent[]): AsyncGenerator<RecordedEvent> {
  yield* events;
}

/** CONTROL's events of it, in order: its placements, and what was claimed for it. There are few. */
async function* controlOf(
  nc: Connection,
  subject: Subject,
  names: readonly string[],
): AsyncGenerator<DecodedEvent> {
  const found = new Map<number, DecodedEvent>();
  const take = (decoded: DecodedEvent) => {
    const { sequence } = decoded.kind === "event" ? decoded.event : decoded;
    if (sequence !== undefined) found.set(sequence, decoded);
  };
  const takeClaim = (decoded: DecodedEvent) => {
    if (decoded.kind === "event" && isAbout(subject, decoded.event)) take(decoded);
  };
  for await (const decoded of readControl(nc, { filter: subjects.control(subject.kind, subject.id) })) {
    take(decoded);
  }
  const first = Math.min(...found.keys());
  if (Number.isFinite(first)) {
    const log = await controlLogId(nc);
    for await (const entries of readControlRange(nc, log, Math.max(1, first - CLAIMS_BEFORE), first)) {
      for (const { decoded } of entries) takeClaim(decoded);
    }
  }
  for (const name of new Set(names)) {
    for await (const decoded of readControl(nc, { filter: subjects.control("name", name) }))
      takeClaim(decoded);
  }
  for (const [, decoded] of [...found].sort(([a], [b]) => a - b)) yield decoded;
}
