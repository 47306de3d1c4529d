import type { ControlEvent } from "#contracts";
import { nameKey } from "#control";
import type { Machine } from "#machines";
import type { Volume } from "#volumes";
import type { Departure, FleetView, HostLogView } from "./fleet-view.ts";

/*
 * What belongs to a destroyed machine goes when its host forgets it, or the view would grow with history (F15). CONTROL
 * and the hosts' logs come in any order, so a machine may have to be forgotten before its placement is known: that is
 * noted until CONTROL has caught up. A machine has exactly one decided placement per epoch, so the note is used up.
 */

/** Takes note that a machine was destroyed in this log. */
export function depart(log: HostLogView, { id: machineId, epoch, appName, name }: Machine): void {
  log.departures.set(machineId, { machineId, epoch, appName, name });
}

/** Drops what is left of the machines that the host has forgotten. They leave in the order in which they were destroyed. */
export function forgetDeparted(view: FleetView, log: HostLogView): void {
  for (const departure of log.departures.values()) {
    const { machineId } = departure;
    if (log.host.machines.has(machineId)) return;
    log.departures.delete(machineId);
    log.histories.drop(machineId);
    forgetMachine(view, departure);
  }
}

/** Drops what CONTROL has of a machine that its host has forgotten; or takes note, where it does not have it yet. */
export function forgetMachine(view: FleetView, departure: Departure): void {
  const { machineId, epoch } = departure;
  const placement = view.control.placements.get(machineId);
  if (placement === undefined || placement.epoch < epoch) view.unplaced.set(machineId, departure);
  else if (placement.epoch === epoch) drop(view, departure);
}

/** Drops where a destroyed volume was placed: from now on its host tells of it, for as long as it remembers. */
export function forgetVolume(
  { control, unplacedVolumes }: FleetView,
  { id, epoch }: Pick<Volume, "id" | "epoch">,
): void {
  const placement = control.volumePlacements.get(id);
  if (placement === undefined || placement.epoch < epoch) unplacedVolumes.set(id, epoch);
  else if (placement.epoch === epoch) control.volumePlacements.delete(id);
}

/** To be called after each event of CONTROL: drops the placement of what was forgotten already. */
export function forgetPlaced(view: FleetView, event: ControlEvent): void {
  if (event.type === "VolumePlacementDecided") {
    const { volumeId, epoch } = event.data;
    if (view.unplacedVolumes.get(volumeId) !== epoch) return;
    view.unplacedVolumes.delete(volumeId);
    view.control.volumePlacements.delete(volumeId);
  }
  if (event.type !== "PlacementDecided") return;
  const departure = view.unplaced.get(event.data.machineId);
  if (departure === undefined || event.data.epoch !== departure.epoch) return;
  view.unplaced.delete(departure.machineId);
  drop(view, departure);
}

function drop({ control }: FleetView, { machineId, appName, name }: Departure): void {
  control.placements.delete(machineId);
  const key = nameKey(appName, name);
  if (control.names.get(key)?.machineId === machineId) control.names.delete(key);
}
