import {
  CONTROL_FOLD_VERSION,
  type ControlState,
  controlFromJson,
  controlToJson,
  emptyControl,
} from "#control";
import { HOST_FOLD_VERSION, type Host, hostFromJson, hostToJson } from "#hosts";
import { canonicalHash } from "#kernel";
import { Histories } from "./histories.ts";
import type { HistoryEntry } from "./machine-history.ts";

/** A destroyed machine on its way out of memory. */
export interface Departure {
  readonly machineId: string;
  readonly epoch: number;
  readonly appName: string;
  readonly name: string;
}

/** What one log of a host folds to. */
export interface HostLogView {
  readonly hostId: string;
  readonly host: Host;
  readonly histories: Histories;
  /** Machines destroyed in this log that the host still remembers, in order. */
  readonly departures: Map<string, Departure>;
}

/**
 * Everything that is known, as the fold of CONTROL and of all hosts' logs. Each log changes only its own part, so the
 * order in which logs arrive does not matter. Changed in place by `evolveFleet`.
 */
export interface FleetView {
  readonly control: ControlState;
  /** By log id. */
  readonly logs: Map<string, HostLogView>;
  /** Logs that another log of their host began with: log id → host id. */
  readonly succeeded: Map<string, string>;
  /** Machines that were forgotten before CONTROL told where they were placed. */
  readonly unplaced: Map<string, Departure>;
  /** Likewise volumes, as soon as they are destroyed: id → epoch. */
  readonly unplacedVolumes: Map<string, number>;
}

/** The view before the first event. */
export function emptyFleet(): FleetView {
  return {
    control: emptyControl(),
    logs: new Map(),
    succeeded: new Map(),
    unplaced: new Map(),
    unplacedVolumes: new Map(),
  };
}

/** Changes whenever the same events would fold to another view (I4). */
export const FLEET_FOLD_VERSION = CONTROL_FOLD_VERSION * 1_000_000 + HOST_FOLD_VERSION * 1_000 + 1;

interface FleetJson {
  readonly control: unknown;
  readonly logs: readonly {
    readonly log: string;
    readonly hostId: string;
    readonly host: unknown;
    readonly histories: readonly (readonly [string, HistoryEntry[]])[];
    readonly departures: readonly Departure[];
  }[];
  readonly succeeded: readonly (readonly [string, string])[];
  readonly unplaced: readonly Departure[];
  /** Left out while there are none. */
  readonly unplacedVolumes?: readonly (readonly [string, number])[];
}

/** The view as plain JSON: the same for the same events, in whatever order the logs came. */
export function fleetToJson(view: FleetView): FleetJson {
  const logs = sorted(view.logs).map(([log, { hostId, host, histories, departures }]) => ({
    log,
    hostId,
    host: hostToJson(host),
    // Copied: they go on being changed.
    histories: sorted(histories.all())
      .filter(([machineId]) => host.machines.has(machineId))
      .map(([machineId, entries]): [string, HistoryEntry[]] => [machineId, [...entries]]),
    departures: [...departures.values()],
  }));
  return {
    control: controlToJson(view.control),
    logs,
    succeeded: sorted(view.succeeded),
    unplaced: sorted(view.unplaced).map(([, departure]) => departure),
    ...(view.unplacedVolumes.size > 0 && { unplacedVolumes: sorted(view.unplacedVolumes) }),
  };
}

/** Reads what `fleetToJson` wrote in the same fold version. */
export function fleetFromJson(json: unknown): FleetView {
  const saved = json as FleetJson;
  const logs = saved.logs.map(({ log, hostId, host, histories, departures }): [string, HostLogView] => [
    log,
    {
      hostId,
      host: hostFromJson(host),
      histories: new Histories(histories),
      departures: byMachine(departures),
    },
  ]);
  return {
    control: controlFromJson(saved.control),
    logs: new Map(logs),
    succeeded: new Map(saved.succeeded),
    unplaced: byMachine(saved.unplaced),
    unplacedVolumes: new Map(saved.unplacedVolumes),
  };
}

/** SHA-256 over the view's canonical form: two folds of the same events have the same (F07). */
export function fleetHash(view: FleetView): string {
  return canonicalHash(fleetToJson(view));
}

function sorted<V>(map: Iterable<readonly [string, V]>): (readonly [string, V])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function byMachine(departures: readonly Departure[]): Map<string, Departure> {
  return new Map(departures.map((departure) => [departure.machineId, departure]));
}
