import type { RecordedEvent } from "#contracts";
import { type ForeignDeciders, SimulatedFleet } from "#testing";
import { type Entity, ListedHistory, Timeline } from "#timeline";
import * as deciders from "./planted-deciders.ts";
import { lostRelease, type PlantFold, staleRoutes } from "./planted-fold.ts";

/** A bug that was planted, what it does to a fleet, and what finds it. */
export interface PlantedBug {
  readonly name: string;
  /** The invariant that it breaks. */
  readonly invariant: string;
  /** The release with the bug: its deciders, or its fold. */
  readonly decidedBy?: ForeignDeciders;
  readonly foldedBy?: PlantFold;
  /** Lives up to the moment at which the bug bites, under that release. Returns what is broken then. */
  bite(fleet: SimulatedFleet): Entity;
  /** The command behind the event that breaks it. */
  readonly command: string;
  /** The command that this goes back to, where it is not the same. */
  readonly because?: string;
}

/** A history with the bug in it, and the one event that is at fault. */
export interface BittenHistory {
  readonly events: readonly RecordedEvent[];
  readonly timeline: Timeline;
  readonly culprit: RecordedEvent;
  readonly entity: Entity;
}

const SMALL = { cpuMillis: 1_000, memoryMib: 600 };
const VOLUME = "vol_0000000000000001";
const MOUNTING = { image: "registry.local/hello:1", mounts: [{ volume: VOLUME, path: "/data" }] };
const PLACED = { appName: "hello", region: "local", candidates: [], refusals: [] };

/** Lives well for a while, then under the release with the bug until it bites, then well again. */
export function bittenBy(bug: PlantedBug, seed = 11): BittenHistory {
  const fleet = new SimulatedFleet(seed);
  for (const hostId of ["h1", "h2"]) fleet.join(hostId);
  liveWell(fleet, 40);
  const present = fleet.deciders;
  fleet.deciders = { ...present, ...bug.decidedBy };
  const entity = bug.bite(fleet);
  fleet.deciders = present;
  const culprit = fleet.events().at(-1)!;
  liveWell(fleet, 40);
  const events = fleet.events();
  const history = new ListedHistory(events);
  return { events, timeline: new Timeline({ history, onUnreadable: () => undefined }), culprit, entity };
}

/** The rest of the fleet goes about its business, and ends what it begins. */
function liveWell(fleet: SimulatedFleet, moments: number): void {
  for (let moment = 0; moment < moments; moment += 1) {
    fleet.live();
    for (const hostId of ["h1", "h2"]) for (const { id } of fleet.machines(hostId)) fleet.settle(hostId, id);
  }
}

/** Names a machine of a host that runs. */
function running(fleet: SimulatedFleet, hostId = "h3"): string {
  const machineId = fleet.create(hostId);
  fleet.settle(hostId, machineId);
  return machineId;
}

/** A volume on a host, ready to be mounted. */
function makeVolume(fleet: SimulatedFleet, hostId: string): void {
  const reservationId = fleet.ids.ulid();
  const wanted = { reservationId, volumeId: VOLUME, appName: "hello", epoch: 1 };
  fleet.decideHost(hostId, {
    type: "ReserveVolume",
    ...wanted,
    resources: { cpuMillis: 0, memoryMib: 0, volumeMib: 1_024 },
    ttlMs: 5_000,
  });
  const placed = { volumeId: VOLUME, hostId, epoch: 1, ...PLACED };
  fleet.decideControl({ type: "DecidePlacement", ...placed });
  const described = { name: "data", sizeGb: 1, autoBackup: false, snapshotRetentionDays: 5, origin: "user" };
  fleet.decideHost(hostId, { type: "CommitVolume", ...wanted, ...described });
  const command = {
    ...({ type: "RecordStep", origin: "operation" } as const),
    ...{ commandId: fleet.ids.ulid(), atMs: fleet.clock.nowMs(), operationId: reservationId },
    outcome: { kind: "completed", output: { fstype: "btrfs" } },
  } as const;
  fleet.decideHost(hostId, { type: "Volume", volumeId: VOLUME, command });
}

/** A host of its own for the bug: the others live on beside it. */
function joinSmall(fleet: SimulatedFleet): void {
  fleet.join("h3");
  const capacity = { ...SMALL, volumeMib: 10_240 };
  fleet.decideHost("h3", { type: "MeasureCapacity", capacity, maxMachines: 10, features: [] });
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "a decider that promises more than there is",
    invariant: "no-overcommit",
    decidedBy: deciders.overcommitting,
    command: "ReserveMachine",
    bite(fleet) {
      joinSmall(fleet);
      running(fleet);
      running(fleet);
      reserve(fleet, "h3", fleet.ids.machineId());
      return { kind: "host", id: "h3" };
    },
  },
  {
    name: "a fold that does not give back the room of a reservation",
    invariant: "capacity-counted-right",
    foldedBy: lostRelease,
    command: "EndReservation",
    bite(fleet) {
      joinSmall(fleet);
      const reservationId = reserve(fleet, "h3", fleet.ids.machineId());
      fleet.decideHost("h3", { type: "EndReservation", reservationId, reason: "expired" });
      return { kind: "host", id: "h3" };
    },
  },
  {
    name: "a decider that starts a machine twice",
    invariant: "one-start-at-a-time",
    decidedBy: deciders.startingTwice,
    command: "StartMachine",
    bite(fleet) {
      joinSmall(fleet);
      const id = running(fleet);
      fleet.command("h3", id, { type: "StopMachine", origin: "user" });
      fleet.settle("h3", id);
      fleet.command("h3", id, { type: "StartMachine", origin: "user" });
      fleet.command("h3", id, { type: "StartMachine", origin: "request" });
      return { kind: "machine", id };
    },
  },
  {
    name: "a route table that does not hear of stops",
    invariant: "no-route-to-stopped-machine",
    foldedBy: staleRoutes,
    command: "StopMachine",
    bite(fleet) {
      joinSmall(fleet);
      const id = running(fleet);
      fleet.command("h3", id, { type: "StopMachine", origin: "autostop" });
      return { kind: "machine", id };
    },
  },
  {
    name: "a decider that lets two machines write one volume",
    invariant: "one-writer-per-volume",
    decidedBy: deciders.sharingVolumes,
    command: "CommitMachine",
    bite(fleet) {
      joinSmall(fleet);
      makeVolume(fleet, "h3");
      fleet.settle("h3", fleet.create("h3", { config: MOUNTING }));
      fleet.create("h3", { config: MOUNTING });
      return { kind: "volume", id: VOLUME };
    },
  },
  {
    name: "a decider that takes machines on a cordoned host",
    invariant: "cordoned-host-takes-nothing-new",
    decidedBy: deciders.ignoringCordons,
    command: "ReserveMachine",
    bite(fleet) {
      joinSmall(fleet);
      const expiresAtMs = fleet.clock.nowMs() + 3_600_000;
      fleet.decideHost("h3", { type: "Cordon", owner: "ops", reason: "new disk", expiresAtMs });
      reserve(fleet, "h3", fleet.ids.machineId());
      return { kind: "host", id: "h3" };
    },
  },
  {
    name: "a decider that gives one epoch to two hosts",
    invariant: "one-place-per-epoch",
    decidedBy: deciders.reusingEpochs,
    command: "DecidePlacement",
    bite(fleet) {
      joinSmall(fleet);
      const machineId = running(fleet);
      fleet.decideControl({ type: "DecidePlacement", machineId, hostId: "h2", epoch: 1, ...PLACED });
      return { kind: "machine", id: machineId };
    },
  },
  {
    name: "a decider that gives out an address that is in use",
    invariant: "addresses-never-shared",
    decidedBy: deciders.reusingAddresses,
    command: "CommitMachine",
    bite(fleet) {
      joinSmall(fleet);
      running(fleet);
      return { kind: "machine", id: fleet.create("h3") };
    },
  },
  {
    name: "a decider whose stop never ends",
    invariant: "every-operation-ends",
    decidedBy: deciders.neverEnding,
    command: "RecordStep",
    because: "StopMachine",
    bite(fleet) {
      joinSmall(fleet);
      const id = running(fleet);
      fleet.command("h3", id, { type: "StopMachine", origin: "user" });
      const steps = fleet.host("h3").machines.get(id)?.operation?.steps.length ?? 0;
      for (let step = 0; step < steps; step += 1) fleet.step("h3", id);
      return { kind: "machine", id };
    },
  },
  {
    name: "a decider that gives one name to two machines",
    invariant: "names-unique-per-app",
    decidedBy: deciders.sharingNames,
    command: "ClaimMachineName",
    bite(fleet) {
      joinSmall(fleet);
      fleet.settle("h3", fleet.create("h3", { name: "web" }));
      const id = fleet.ids.machineId();
      const claim = { appName: "hello", name: "web", machineId: id, atMs: fleet.clock.nowMs() };
      fleet.decideControl({ type: "ClaimMachineName", ...claim });
      return { kind: "machine", id };
    },
  },
  {
    name: "a decider that takes an exit for a start",
    invariant: "operations-take-turns",
    decidedBy: deciders.mistakingExits,
    command: "RecordExit",
    bite(fleet) {
      joinSmall(fleet);
      const id = running(fleet);
      const startId = fleet.host("h3").machines.get(id)?.startId ?? "";
      const ended = { exit_code: 1, guest_signal: 0, oom_killed: false, requested_stop: false };
      const exit = { ...ended, exited_at_ms: fleet.clock.nowMs() };
      fleet.command("h3", id, { type: "RecordExit", origin: "runtime", startId, exit });
      return { kind: "machine", id };
    },
  },
];

function reserve(fleet: SimulatedFleet, hostId: string, machineId: string): string {
  const reservationId = fleet.ids.ulid();
  const wanted = { reservationId, machineId, appName: "hello", epoch: 1 };
  const resources = { cpuMillis: 62, memoryMib: 256 };
  fleet.decideHost(hostId, { type: "ReserveMachine", ...wanted, resources, ports: [], ttlMs: 5_000 });
  return reservationId;
}
