import { type ControlState, controlFromJson, controlToJson } from "#control";
import type { Departure, FleetView, HostLogView } from "#fleet";
import { hostFromJson, hostToJson } from "#hosts";
import type { LateHistories } from "./late-histories.ts";

/** A log's part of the fleet, without histories. */
interface LogStateJson {
  readonly hostId: string;
  readonly host: unknown;
  readonly departures: readonly Departure[];
  /** The log that this one followed. */
  readonly previous?: string;
}

export function logStateText(view: HostLogView, previous: string | undefined): string {
  const { hostId, host, departures } = view;
  const json: LogStateJson = {
    hostId,
    host: hostToJson(host),
    departures: [...departures.values()],
    ...(previous === undefined ? {} : { previous }),
  };
  return JSON.stringify(json);
}

/** Puts a log's part into the view. Returns the log that it followed. */
export function putLogState(
  view: FleetView,
  log: string,
  text: string,
  historiesOf: (isThere: (machineId: string) => boolean) => LateHistories,
): string | undefined {
  // No event of the log could be folded.
  if (text === "") return undefined;
  const { hostId, host: saved, departures, previous } = JSON.parse(text) as LogStateJson;
  const host = hostFromJson(saved);
  view.logs.set(log, {
    hostId,
    host,
    histories: historiesOf((machineId) => host.machines.has(machineId)),
    departures: new Map(departures.map((departure) => [departure.machineId, departure])),
  });
  if (previous !== undefined) view.succeeded.set(previous, hostId);
  return previous;
}

interface ControlStateJson {
  readonly control: unknown;
  readonly unplaced: readonly Departure[];
  readonly unplacedVolumes: readonly (readonly [string, number])[];
}

export function controlStateText({ control, unplaced, unplacedVolumes }: FleetView): string {
  const json: ControlStateJson = {
    control: controlToJson(control),
    unplaced: [...unplaced.values()],
    unplacedVolumes: [...unplacedVolumes],
  };
  return JSON.stringify(json);
}

/** The view with CONTROL's part, and nothing of any host. */
export function fleetFromControl(text: string): FleetView {
  const { control, unplaced, unplacedVolumes } = JSON.parse(text) as ControlStateJson;
  const state: ControlState = controlFromJson(control);
  return {
    control: state,
    logs: new Map(),
    succeeded: new Map(),
    unplaced: new Map(unplaced.map((departure) => [departure.machineId, departure])),
    unplacedVolumes: new Map(unplacedVolumes),
  };
}

/** What a host forgot: see libs/fleet. */
export interface Forgotten {
  readonly machines: readonly Departure[];
  readonly volumes: readonly { readonly id: string; readonly epoch: number }[];
}
