import { type EventType, type RecordedEvent, VOCABULARY } from "#contracts";
import { type FleetView, listMachines, listVolumes } from "#fleet";
import { RefusedError, refusal } from "#kernel";

/** Which events `drover replay log` shows, as its flags say. What is left out does not matter. */
export interface LogWish {
  readonly machine?: string;
  readonly volume?: string;
  readonly host?: string;
  readonly app?: string;
  readonly type?: readonly string[];
  /** "token:ci", or everybody of a kind: "token". */
  readonly actor?: string;
  readonly correlation?: string;
}

/**
 * Tells of each event, asked in causal order, whether it is wanted. `before`: the world before the first one, which knows
 * whose machines and volumes those are that were made earlier. Throws a refusal for a type that there is not.
 */
export function logFilter(wish: LogWish, before?: FleetView): (event: RecordedEvent) => boolean {
  const types = wish.type?.length ? new Set(wish.type.map(knownType)) : undefined;
  const isOfApp = wish.app === undefined ? undefined : appFilter(wish.app, before);
  const { machine, volume, host, actor, correlation } = wish;
  return (event) => {
    // Asked of every event: it remembers whose the machines are.
    if (isOfApp !== undefined && !isOfApp(event)) return false;
    const { data, header, subject, type } = event;
    if (types !== undefined && !types.has(type)) return false;
    if (machine !== undefined && !("machineId" in data && data.machineId === machine)) return false;
    if (volume !== undefined && !("volumeId" in data && data.volumeId === volume)) return false;
    if (host !== undefined && !subject.startsWith(`evt.host.${host}.`)) return false;
    if (correlation !== undefined && header.correlationId !== correlation) return false;
    return actor === undefined || header.actor === actor || header.actor.startsWith(`${actor}:`);
  };
}

/** An app's events are found by the machines and volumes that were made for it: their birth comes before all else of them. */
function appFilter(appName: string, before: FleetView | undefined): (event: RecordedEvent) => boolean {
  const known = new Set<string>();
  if (before !== undefined) {
    for (const { machineId } of listMachines(before, appName)) known.add(machineId);
    for (const { volumeId } of listVolumes(before, appName)) known.add(volumeId);
  }
  return ({ data }) => {
    const about = aboutOf(data);
    if ("appName" in data && data.appName !== undefined) {
      if (data.appName === appName && about !== undefined) known.add(about);
      return data.appName === appName;
    }
    return about !== undefined && known.has(about);
  };
}

/** The machine or volume that an event is about. */
function aboutOf(data: RecordedEvent["data"]): string | undefined {
  const machineId = "machineId" in data ? data.machineId : undefined;
  return machineId ?? ("volumeId" in data ? data.volumeId : undefined);
}

/** Exact names only (F48): an empty answer to a typing error would look like nothing had happened. */
function knownType(type: string): EventType {
  const types = VOCABULARY.types();
  if (types.includes(type)) return type as EventType;
  throw new RefusedError(refusal("not_found", `no type ${type}: there are ${types.join(", ")}`));
}
