import {
  type ControlEvent,
  controlEvents,
  type HostLogEvent,
  type MachineEvent,
  machineEvents,
  type RecordedEvent,
} from "#contracts";
import { evolveControl } from "#control";
import { emptyHost, evolveHost } from "#hosts";
import { wallMsOf } from "#kernel";
import type { FleetView, HostLogView } from "./fleet-view.ts";
import { depart, forgetDeparted, forgetPlaced, forgetVolume } from "./forget.ts";
import { Histories } from "./histories.ts";
import { historyEntry } from "./machine-history.ts";

/** The view after one event. Changes `view` in place and returns it. Each log's events have to come in order. */
export function evolveFleet(view: FleetView, event: RecordedEvent): FleetView {
  if (isControlEvent(event)) {
    evolveControl(view.control, event);
    forgetPlaced(view, event);
  } else {
    evolveLog(view, event as RecordedEvent<HostLogEvent>);
  }
  return view;
}

function evolveLog(view: FleetView, event: RecordedEvent<HostLogEvent>): void {
  const log = view.logs.get(event.log) ?? emptyLog(hostIdOf(event.subject));
  evolveHost(log.host, event, wallMsOf(event.header.clock));
  view.logs.set(event.log, log);
  if (isMachineEvent(event)) {
    remember(log, event);
    forgetDeparted(view, log);
  } else if (event.type === "VolumeDestroyed") {
    const volume = log.host.volumes.get(event.data.volumeId);
    if (volume !== undefined) forgetVolume(view, volume);
  } else if (event.type === "HostLogOpened" && event.data.previous !== undefined) {
    view.succeeded.set(event.data.previous.logId, log.hostId);
  }
}

function remember(log: HostLogView, event: RecordedEvent<MachineEvent>): void {
  const { machineId } = event.data;
  const machine = log.host.machines.get(machineId);
  if (machine === undefined) return;
  if (event.type === "MachineDestroyed") depart(log, machine);
  const entry = historyEntry(event, machine);
  if (entry !== undefined) log.histories.append(machineId, entry);
}

function emptyLog(hostId: string): HostLogView {
  return { hostId, host: emptyHost(), histories: new Histories(), departures: new Map() };
}

/** From `evt.host.<hostId>.…`: the one part of an event that its log's place vouches for. */
function hostIdOf(subject: string): string {
  return subject.split(".", 3)[2] ?? "";
}

function isControlEvent(event: RecordedEvent): event is RecordedEvent<ControlEvent> {
  return event.type in controlEvents;
}

function isMachineEvent(event: RecordedEvent): event is RecordedEvent<MachineEvent> {
  return event.type in machineEvents;
}
