import type { DecodedEvent, EventType, RecordedEvent } from "#contracts";
import { readControl, readHosts } from "#event-log";
import { formatHybridTime, type Position, wallMsOf } from "#kernel";
import { evolveFleet } from "./evolve.ts";
import { emptyFleet, type FleetView } from "./fleet-view.ts";
import { mergeByClock } from "./merge.ts";

type Connection = Parameters<typeof readControl>[0];

/** Up to where history counts. A position names logs; what it does not name is left out whole. */
export type Moment =
  | { readonly kind: "now" }
  | { readonly kind: "position"; readonly position: Position }
  /** Everything whose clock is not later, epoch milliseconds. */
  | { readonly kind: "time"; readonly atMs: number };

/** Which events are wanted; what is left out does not matter. */
export interface ReplayFilter {
  readonly machineId?: string;
  readonly hostId?: string;
  readonly appName?: string;
  readonly type?: EventType;
  readonly sinceMs?: number;
  readonly until?: Moment;
}

/** Told of what cannot be read; the rest goes on (I10). */
export type OnBad = (detail: string) => void;

/** Events of the whole plane in causal order, as the hub holds them. Memory does not grow with history. */
export async function* replayLog(
  nc: Connection,
  hostIds: readonly string[],
  filter: ReplayFilter,
  onBad: OnBad,
): AsyncGenerator<RecordedEvent> {
  const wantedHosts = filter.hostId === undefined ? hostIds : [filter.hostId];
  const control = filter.hostId === undefined ? [good(readControl(nc), onBad)] : [];
  const hosts = wantedHosts.map((hostId) => good(readHosts(nc, hostId), onBad));
  const isWanted = matcher(filter);
  const isPast = within(filter.until ?? { kind: "now" });
  for await (const event of mergeByClock([...control, ...hosts])) {
    if (isWanted(event) && isPast(event)) yield event;
  }
}

/** The state of everything at a moment: the fold of every event up to it, and where that is. */
export async function stateAt(
  nc: Connection,
  moment: Moment,
  onBad: OnBad,
): Promise<{ readonly view: FleetView; readonly position: Position }> {
  const view = emptyFleet();
  const position: Record<string, number> = {};
  const counts = within(moment);
  // Each log changes only its own part of the view: no order across logs is needed.
  for (const history of [readControl(nc), readHosts(nc)]) {
    for await (const event of good(history, onBad)) {
      if (!counts(event)) continue;
      apply(view, event, onBad);
      position[event.log] = event.sequence;
    }
  }
  return { view, position };
}

/** The time at which an event happened, as a moment that includes it and everything it was decided from. */
export async function momentOfEvent(nc: Connection, eventId: string): Promise<Moment | undefined> {
  for (const history of [readHosts(nc), readControl(nc)]) {
    for await (const event of good(history, () => undefined)) {
      if (event.header.id === eventId) return { kind: "time", atMs: wallMsOf(event.header.clock) };
    }
  }
  return undefined;
}

function apply(view: FleetView, event: RecordedEvent, onBad: OnBad): void {
  try {
    evolveFleet(view, event);
  } catch (thrown) {
    onBad(
      `${event.log}:${event.sequence} ${event.type}: ${thrown instanceof Error ? thrown.message : thrown}`,
    );
  }
}

async function* good(history: AsyncIterable<DecodedEvent>, onBad: OnBad): AsyncGenerator<RecordedEvent> {
  for await (const decoded of history) {
    if (decoded.kind === "event") yield decoded.event;
    else
      onBad(
        `${decoded.log ?? decoded.subject}:${decoded.sequence ?? "?"} ${decoded.reason}: ${decoded.detail}`,
      );
  }
}

function within(moment: Moment): (event: RecordedEvent) => boolean {
  switch (moment.kind) {
    case "now":
      return () => true;
    case "position":
      return (event) => event.sequence <= (moment.position[event.log] ?? 0);
    case "time": {
      const last = formatHybridTime(moment.atMs, 0xffff);
      return (event) => event.header.clock <= last;
    }
  }
}

/** An app's events are found by the machines that were made for it: their birth comes before all else of them. */
function matcher(filter: ReplayFilter): (event: RecordedEvent) => boolean {
  const { machineId, appName, type } = filter;
  const machines = new Set<string>();
  const since = filter.sinceMs === undefined ? "" : formatHybridTime(filter.sinceMs, 0);
  return (event) => {
    const { data } = event;
    const about = "machineId" in data ? data.machineId : undefined;
    if ("appName" in data && data.appName === appName && about !== undefined) machines.add(about);
    if (machineId !== undefined && about !== machineId) return false;
    if (appName !== undefined && !isOfApp(event, appName, machines)) return false;
    if (type !== undefined && event.type !== type) return false;
    return event.header.clock >= since;
  };
}

function isOfApp(event: RecordedEvent, appName: string, machines: ReadonlySet<string>): boolean {
  const { data } = event;
  if ("appName" in data) return data.appName === appName;
  if ("machineId" in data && data.machineId !== undefined) return machines.has(data.machineId);
  return false;
}
