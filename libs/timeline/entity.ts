import { type MachineConfig, mountedVolumesOf, type RecordedEvent } from "#contracts";
import { type FleetView, findMachine, type HostLogView } from "#fleet";

export const ENTITY_KINDS = ["machine", "host", "volume", "snapshot", "app", "reservation"] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

/** Something of the plane that has facts: named in text as `kind/id`, "machine/148e…". */
export interface Entity {
  readonly kind: EntityKind;
  readonly id: string;
}

/** The one form in which an entity is a key, a link and an argument. */
export function formatEntity({ kind, id }: Entity): string {
  return `${kind}/${id}`;
}

/** Reads the form that `formatEntity` writes. Undefined for anything else. */
export function parseEntity(text: string): Entity | undefined {
  const [kind, id, ...more] = text.split("/");
  const known = ENTITY_KINDS.find((each) => each === kind);
  return known !== undefined && id && more.length === 0 ? { kind: known, id } : undefined;
}

/**
 * What an event may change facts of, given the view before it. Whether a host's log counts, and with it everything there,
 * may change with what the log or CONTROL says of the host: then ask once more with the view after it. `logs` are the view's
 * `currentLogs`, for callers who keep them.
 */
export function touchedBy(
  event: RecordedEvent,
  view: FleetView,
  logs?: ReadonlyMap<string, HostLogView>,
): Entity[] {
  const { type, data, log } = event;
  if (mayReplaceLog(event)) return everythingOn(view, event.data.hostId);
  const touched: Entity[] = [];
  const touch = (kind: EntityKind, id: string | undefined) => {
    if (id !== undefined) touched.push({ kind, id });
  };
  const machineId = "machineId" in data ? data.machineId : undefined;
  const volumeId = "volumeId" in data ? data.volumeId : undefined;
  touch("host", hostIdOf(event));
  touch("machine", machineId);
  touch("volume", volumeId);
  if (machineId !== undefined) {
    const config = "config" in data ? data.config : undefined;
    for (const id of mountedBy(view, machineId, config, logs)) if (id !== volumeId) touch("volume", id);
  }
  if ("snapshotId" in data) touch("snapshot", data.snapshotId);
  if ("reservationId" in data) touch("reservation", data.reservationId);
  else if (type === "MachineCreating" || type === "VolumeCreating") {
    const claimant = machineId ?? volumeId ?? "";
    touch("reservation", view.logs.get(log)?.host.holdings.reservationOf.get(claimant));
  }
  if ("appName" in data) touch("app", data.appName);
  return touched;
}

/** Whether an event may change which log of a host counts. */
export function mayReplaceLog(
  event: RecordedEvent,
): event is Extract<RecordedEvent, { type: "HostLogOpened" | "HostRegistered" }> {
  return event.type === "HostLogOpened" || event.type === "HostRegistered";
}

/** The host in whose log an event stands. Undefined for CONTROL's. */
export function hostIdOf({ subject }: RecordedEvent): string | undefined {
  const [, kind, hostId] = subject.split(".", 3);
  return kind === "host" ? hostId : undefined;
}

/** What a host's log says of itself may change which log counts, and with it everything there. */
function everythingOn(view: FleetView, hostId: string): Entity[] {
  const touched: Entity[] = [{ kind: "host", id: hostId }];
  for (const log of view.logs.values()) {
    if (log.hostId !== hostId) continue;
    for (const id of log.host.machines.keys()) touched.push({ kind: "machine", id });
    for (const id of log.host.volumes.keys()) touched.push({ kind: "volume", id });
    for (const id of log.host.snapshots.keys()) touched.push({ kind: "snapshot", id });
    for (const id of log.host.reservations.keys()) touched.push({ kind: "reservation", id });
  }
  return touched;
}

/** Volumes that a machine mounts, may go back to, or is about to mount. */
function mountedBy(
  view: FleetView,
  machineId: string,
  next: MachineConfig | undefined,
  logs?: ReadonlyMap<string, HostLogView>,
): Set<string> {
  const machine = findMachine(view, machineId, logs)?.machine;
  const configs = [machine?.config, machine?.beforeUpdate?.config, next];
  return new Set(configs.flatMap((config) => (config === undefined ? [] : mountedVolumesOf(config))));
}
