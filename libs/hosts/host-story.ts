import {
  type HostLogEvent,
  type MachineConfig,
  type PublishedPort,
  resourcesOf,
  VOCABULARY,
  volumeMibOf,
} from "#contracts";
import {
  attemptKey,
  currentStep,
  type Decision,
  type OperationRun,
  type StepOutcome,
  type StepOutput,
} from "#kernel";
import { isTransient, type Machine, type MachineCommand, owedCommand } from "#machines";
import type { Snapshot, SnapshotCommand, Volume, VolumeCommand } from "#volumes";
import type { HostCommand } from "./command.ts";
import { decideHost } from "./decide.ts";
import { evolveHost } from "./evolve.ts";
import { volumeRoom } from "./resources.ts";
import { emptyHost, type Host } from "./state.ts";

type Unissued<C, K extends string> = C extends unknown
  ? Omit<C, K> & { readonly [P in K]?: P extends "atMs" ? number : string }
  : never;
/** A host command without what the story fills in by itself. */
export type Told = Unissued<Exclude<HostCommand, { readonly command: unknown }>, "commandId" | "atMs">;
/** A machine command, likewise. */
export type ToldMachine = Unissued<MachineCommand, "commandId" | "atMs" | "origin">;

export type ToldVolume = Unissued<VolumeCommand, "commandId" | "atMs" | "origin">;
export type ToldSnapshot = Unissued<SnapshotCommand, "commandId" | "atMs" | "origin">;

/** A volume that somebody wants to have here. */
export interface VolumeOrder {
  readonly volumeId: string;
  readonly sizeGb: number;
  readonly epoch?: number;
  readonly snapshotId?: string;
  readonly forkOf?: string;
}

/** A machine that somebody wants to have here. */
export interface Order {
  readonly machineId: string;
  readonly epoch: number;
  readonly memoryMib: number;
  readonly hostPorts: readonly number[];
  readonly skipLaunch?: boolean;
  readonly features?: readonly string[];
  readonly isAlone?: boolean;
  readonly volumeId?: string;
}

export function configOf(
  order: Pick<Order, "memoryMib" | "hostPorts" | "features" | "isAlone" | "volumeId">,
): MachineConfig {
  const { memoryMib, hostPorts, features, isAlone, volumeId } = order;
  const publish = hostPorts.map(
    (host_port): PublishedPort => ({ host_port, machine_port: 80, protocol: "tcp" }),
  );
  const placement = {
    ...(features === undefined ? {} : { features: [...features] }),
    ...(isAlone === true ? { anti_affinity: "hard" as const } : {}),
  };
  const wishes = Object.keys(placement).length === 0 ? {} : { placement };
  const mounts = volumeId === undefined ? {} : { mounts: [{ volume: volumeId, path: "/data" }] };
  return { image: "registry.local/hello:1", guest: { memory_mb: memoryMib }, publish, ...wishes, ...mounts };
}

/** Id of an order's reservation, as the scheduler makes it. */
export function reservationIdOf({ machineId, epoch }: Order): string {
  return `${machineId}-${epoch}`;
}

/** One host's life, told by commands. Every event is checked against its schema as it happens. */
export class HostStory {
  readonly host: Host = emptyHost();
  readonly events: { readonly event: HostLogEvent; readonly atMs: number }[] = [];
  atMs = 1_764_000_000_000;
  #ids = 0;

  constructor(memoryMib: number, maxMachines = 1_000, volumesGb = 0) {
    const place = { region: "local", clusterId: "dev", subnet: "10.213" };
    this.tell({ type: "OpenLog", hostId: "host-a", logId: "L1", ...place });
    this.tell({ type: "ClaimEpoch", agentVersion: "0.1.0", bootId: "b1" });
    const room = volumesGb === 0 ? {} : { volumeMib: volumeMibOf(volumesGb) };
    const capacity = { cpuMillis: 100_000, memoryMib, ...room };
    this.tell({ type: "MeasureCapacity", capacity, maxMachines, features: ["container"] });
  }

  tell(command: Told): Decision<HostLogEvent> {
    return this.#decide({ ...this.#issue(command.commandId), ...command } as HostCommand);
  }

  tellMachine(machineId: string, told: ToldMachine): Decision<HostLogEvent> {
    const issued = this.#issue(told.commandId);
    const command = { origin: "user", ...told, ...issued } as MachineCommand;
    return this.#decide({ type: "Machine", machineId, command, ...issued });
  }

  offer(order: Order): Decision<HostLogEvent> {
    const { machineId, epoch, features = [], isAlone = false } = order;
    const config = configOf(order);
    return this.tell({
      type: "ReserveMachine",
      reservationId: reservationIdOf(order),
      machineId,
      appName: "hello",
      features,
      isAlone,
      epoch,
      resources: resourcesOf(config),
      ports: config.publish ?? [],
      ...(order.volumeId === undefined ? {} : { volumes: [order.volumeId] }),
      ttlMs: 10_000,
    });
  }

  commit(order: Order): Decision<HostLogEvent> {
    const { machineId, epoch, skipLaunch = false } = order;
    return this.tell({
      type: "CommitMachine",
      reservationId: reservationIdOf(order),
      machineId,
      epoch,
      appName: "hello",
      name: machineId,
      instanceId: "v1",
      config: configOf(order),
      skipLaunch,
      origin: "user",
    });
  }

  end(order: Order, reason: "expired" | "released"): Decision<HostLogEvent> {
    return this.tell({ type: "EndReservation", reservationId: reservationIdOf(order), reason });
  }

  offerVolume({ volumeId, sizeGb, epoch = 1, snapshotId, forkOf }: VolumeOrder): Decision<HostLogEvent> {
    return this.tell({
      type: "ReserveVolume",
      reservationId: `${volumeId}-${epoch}`,
      volumeId,
      appName: "hello",
      epoch,
      resources: volumeRoom(volumeMibOf(sizeGb)),
      snapshotId,
      forkOf,
      ttlMs: 10_000,
    });
  }

  commitVolume({ volumeId, sizeGb, epoch = 1, snapshotId, forkOf }: VolumeOrder): Decision<HostLogEvent> {
    return this.tell({
      type: "CommitVolume",
      reservationId: `${volumeId}-${epoch}`,
      volumeId,
      epoch,
      appName: "hello",
      name: "data",
      sizeGb,
      autoBackup: true,
      snapshotRetentionDays: 5,
      snapshotId,
      forkOf,
      origin: "user",
    });
  }

  tellVolume(volumeId: string, told: ToldVolume): Decision<HostLogEvent> {
    const issued = this.#issue(told.commandId);
    const command = { origin: "user", ...told, ...issued } as VolumeCommand;
    return this.#decide({ type: "Volume", volumeId, command, ...issued });
  }

  take(volumeId: string, snapshotId: string, reservedMib = 1): Decision<HostLogEvent> {
    return this.tell({ type: "TakeSnapshot", volumeId, snapshotId, reservedMib, origin: "user" });
  }

  tellSnapshot(snapshotId: string, told: ToldSnapshot): Decision<HostLogEvent> {
    const issued = this.#issue(told.commandId);
    const command = { origin: "user", ...told, ...issued } as SnapshotCommand;
    const { volumeId = "" } = this.host.snapshots.get(snapshotId) ?? {};
    return this.#decide({ type: "Snapshot", volumeId, snapshotId, command, ...issued });
  }

  volume(volumeId: string): Volume {
    const volume = this.host.volumes.get(volumeId);
    if (volume === undefined) throw new Error(`no volume ${volumeId}`);
    return volume;
  }

  snapshot(snapshotId: string): Snapshot {
    const snapshot = this.host.snapshots.get(snapshotId);
    if (snapshot === undefined) throw new Error(`no snapshot ${snapshotId}`);
    return snapshot;
  }

  /** As `report`, for a volume or a snapshot. */
  reportStored(id: string, outcome?: StepOutcome): Decision<HostLogEvent> {
    const snapshot = this.host.snapshots.get(id);
    const run = (snapshot ?? this.host.volumes.get(id))?.operation;
    if (run === undefined) return { kind: "unchanged" };
    const step = this.#recordOf(run, outcome);
    return snapshot === undefined ? this.tellVolume(id, step) : this.tellSnapshot(id, step);
  }

  /** Completes whatever goes on with a volume or a snapshot. */
  settleStored(id: string): void {
    for (let acts = 0; this.reportStored(id).kind !== "unchanged"; acts += 1) {
      if (acts > 100) throw new Error(`${id} never rests`);
    }
  }

  machine(machineId: string): Machine {
    const machine = this.host.machines.get(machineId);
    if (machine === undefined) throw new Error(`no machine ${machineId}`);
    return machine;
  }

  /** Records how the current attempt of a machine's operation ended; it is completed unless told otherwise. */
  report(machineId: string, outcome?: StepOutcome): Decision<HostLogEvent> {
    const run = this.machine(machineId).operation;
    if (run === undefined) return { kind: "unchanged" };
    return this.tellMachine(machineId, this.#recordOf(run, outcome));
  }

  /** Gives a machine the command that it is owed; drops what is refused. */
  giveOwed(machineId: string): boolean {
    const owed = owedCommand(this.machine(machineId));
    if (owed === undefined) return false;
    const decision = this.tellMachine(machineId, owed);
    if (decision.kind === "refused") {
      const { code, message } = decision.refusal;
      this.tellMachine(machineId, { type: "DropIntent", code, message });
    }
    return true;
  }

  /** Lets happen whatever has to happen to a machine until it rests. */
  settle(machineId: string): Machine {
    for (let acts = 0; acts < 1_000; acts += 1) {
      if (isTransient(this.machine(machineId).state)) this.report(machineId);
      else if (!this.giveOwed(machineId)) return this.machine(machineId);
    }
    throw new Error(`${machineId} never rests`);
  }

  #recordOf(run: OperationRun, outcome: StepOutcome | undefined) {
    return {
      type: "RecordStep",
      operationId: run.id,
      attemptKey: attemptKey(run),
      outcome: outcome ?? { kind: "completed", output: outputOf(currentStep(run)?.name, this.atMs) },
    } as const;
  }

  #issue(commandId: string | undefined) {
    this.#ids += 1;
    this.atMs += 1;
    return { commandId: commandId ?? `c${this.#ids}`, atMs: this.atMs };
  }

  #decide(command: HostCommand): Decision<HostLogEvent> {
    const decision = decideHost(command, this.host);
    if (decision.kind !== "accepted") return decision;
    const { event } = decision;
    VOCABULARY.schemaOf(event.type)?.parse(event.data);
    this.events.push({ event, atMs: this.atMs });
    evolveHost(this.host, event, this.atMs);
    return decision;
  }
}

function outputOf(step: string | undefined, atMs: number): StepOutput {
  switch (step) {
    case "pull-image":
      return { digest: "sha256:1" };
    case "make-volume":
    case "restore-volume":
      return { fstype: "btrfs" };
    case "make-snapshot":
      return { sizeBytes: 1_000_000 };
    case "launch":
      return { startedAtMs: atMs };
    case "await-exit": {
      const how = { exit_code: 0, guest_signal: 0, oom_killed: false, requested_stop: true };
      return { exit: { ...how, exited_at_ms: atMs } };
    }
    default:
      return null;
  }
}
