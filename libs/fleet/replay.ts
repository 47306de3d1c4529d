import type { DecodedEvent, EventType, RecordedEvent } from "#contracts";
import { hostsWithHistory, readControl, readHosts } from "#event-log";
import type { Position } from "#kernel";
import { evolveFleet } from "./evolve.ts";
import { emptyFleet, type FleetView } from "./fleet-view.ts";
import { mergeByClock } from "./merge.ts";
import { type Moment, upTo } from "./moment.ts";

type Connection = Parameters<typeof readControl>[0];

/** Events in memory while logs are merged, all together. */
const MERGE_BUFFER = 4_000;

/** Which events are wanted; what is left out does not matter. */
export interface ReplayFilter {
  readonly machineId?: string;
  /** Its snapshots' events are its own. */
  readonly volumeId?: string;
  readonly hostId?: string;
  readonly appName?: string;
  readonly type?: EventType;
  /** Only what came after this moment. For a time: from it on. */
  readonly since?: Moment;
  readonly until?: Moment;
}

/** What is folded: everything, or CONTROL and one host. */
export interface ReplayScope {
  readonly hostId?: string;
}

/** Told of what cannot be read; the rest goes on (I10). */
export type OnBad = (detail: string) => void;

/** Events of the whole plane in causal order, as the hub holds them. Memory does not grow with history. */
export async function* replayLog(
  nc: Connection,
  filter: ReplayFilter,
  onBad: OnBad,
): AsyncGenerator<RecordedEvent> {
  const { hostId } = filter;
  const hostIds = hostId === undefined ? await hostsWithHistory(nc) : [hostId];
  const page = Math.max(10, Math.floor(MERGE_BUFFER / (hostIds.length + 1)));
  const control = hostId === undefined ? [good(readControl(nc, { page }), onBad)] : [];
  const hosts = hostIds.map((id) => good(readHosts(nc, { hostId: id, page }), onBad));
  const isWanted = matcher(filter);
  const isBeforeEnd = upTo(filter.until ?? { kind: "now" });
  const isBeforeStart = beforeStart(filter.since);
  for await (const event of mergeByClock([...control, ...hosts])) {
    // Asked of every event: each of the three remembers what it saw.
    const [wanted, inTime, early] = [isWanted(event), isBeforeEnd(event), isBeforeStart(event)];
    if (wanted && inTime && !early) yield event;
  }
}

/** The state of everything at a moment: the fold of every event up to it, and where that is. */
export async function stateAt(
  nc: Connection,
  moment: Moment,
  onBad: OnBad,
  scope: ReplayScope = {},
): Promise<{ readonly view: FleetView; readonly position: Position }> {
  const view = emptyFleet();
  const position: Record<string, number> = {};
  const counts = upTo(moment);
  // Each log changes only its own part of the view: no order across logs is needed.
  for (const history of [readControl(nc), readHosts(nc, scope)]) {
    for await (const event of good(history, onBad)) {
      if (!counts(event)) continue;
      apply(view, event, onBad);
      position[event.log] = event.sequence;
    }
  }
  return { view, position };
}

/** The moment of an event: it, and everything that may have led to it. Undefined when the hub holds no such event. */
export async function momentOfEvent(nc: Connection, eventId: string): Promise<Moment | undefined> {
  for (const history of [readHosts(nc), readControl(nc)]) {
    for await (const { header, log, sequence } of good(history, () => undefined)) {
      if (header.id === eventId) return { kind: "event", log, sequence, clock: header.clock };
    }
  }
  return undefined;
}

function apply(view: FleetView, event: RecordedEvent, onBad: OnBad): void {
  try {
    evolveFleet(view, event);
  } catch (thrown) {
    onBad(`${event.log}:${event.sequence} ${event.type}: ${String(thrown)}`);
  }
}

export async function* good(
  history: AsyncIterable<DecodedEvent>,
  onBad: OnBad,
): AsyncGenerator<RecordedEvent> {
  for await (const decoded of history) {
    if (decoded.kind === "event") yield decoded.event;
    else {
      const place = `${decoded.log ?? decoded.subject}:${decoded.sequence ?? "?"}`;
      onBad(`${place} ${decoded.reason}: ${decoded.detail}`);
    }
  }
}

function beforeStart(since: Moment | undefined): (event: RecordedEvent) => boolean {
  if (since === undefined) return () => false;
  // A time counts itself: what came up to the millisecond before it is too early.
  return upTo(since.kind === "time" ? { kind: "time", atMs: since.atMs - 1 } : since);
}

/** An app's events are found by the machines and volumes that were made for it: their birth comes before all else of them. */
function matcher(filter: ReplayFilter): (event: RecordedEvent) => boolean {
  const { machineId, volumeId, appName, type } = filter;
  const known = new Set<string>();
  return (event) => {
    const { data } = event;
    const about = idIn(data);
    if ("appName" in data && data.appName === appName && about !== undefined) known.add(about);
    if (machineId !== undefined && about !== machineId) return false;
    if (volumeId !== undefined && about !== volumeId) return false;
    if (appName !== undefined && !isOfApp(event, appName, known)) return false;
    return type === undefined || event.type === type;
  };
}

/** The machine or volume that an event is about. */
function idIn(data: RecordedEvent["data"]): string | undefined {
  const machineId = "machineId" in data ? data.machineId : undefined;
  return machineId ?? ("volumeId" in data ? data.volumeId : undefined);
}

function isOfApp({ data }: RecordedEvent, appName: string, known: ReadonlySet<string>): boolean {
  if ("appName" in data) return data.appName === appName;
  const about = idIn(data);
  return about !== undefined && known.has(about);
}
