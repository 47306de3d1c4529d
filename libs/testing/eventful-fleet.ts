import type { MachineConfig } from "#contracts";
import type { MachineCommand } from "#machines";
import type { SnapshotCommand, VolumeCommand } from "#volumes";
import { SimulatedFleet } from "./simulated-fleet.ts";

type Bare<C> = C extends unknown ? Omit<C, "commandId" | "atMs"> : never;

const HOSTS = ["host-a", "host-b", "host-c"];
const FAILURE = { code: "effect_failed", message: "it did not work" };
const EXIT = { exit_code: 1, guest_signal: 0, oom_killed: false, requested_stop: false };
const LATER = { code: "busy", message: "later", count: 1 } as const;

/** A fleet to which everything happens that events can tell of. The same seed makes the same history. */
export class EventfulFleet {
  readonly fleet: SimulatedFleet;
  readonly #pick: <T>(from: readonly T[]) => T;
  #count = 0;

  constructor(seed: number, turns: number) {
    this.fleet = new SimulatedFleet(seed);
    this.#pick = (from) => from[Math.floor(this.fleet.ids.random() * from.length)]!;
    for (const hostId of HOSTS) {
      this.fleet.join(hostId);
      this.fleet.decideHost(hostId, {
        type: "MeasureCapacity",
        capacity: { cpuMillis: 4_000, memoryMib: 8_192, volumeMib: 102_400 },
        maxMachines: 40,
        features: ["container", "suspend"],
      });
    }
    for (let turn = 0; turn < turns; turn += 1) this.#turn();
  }

  #turn(): void {
    this.#count += 1;
    const hostId = this.#pick(HOSTS);
    this.fleet.live();
    this.#pick([
      () => this.#toHost(hostId),
      () => this.#toVolume(hostId),
      () => this.#toVolume(hostId),
      () => this.#toMachine(hostId),
      () => this.#toMachine(hostId),
      () => this.#toMachine(hostId),
      () => this.#toControl(hostId),
    ])();
  }

  #toMachine(hostId: string): void {
    const machine = this.#pick(this.fleet.machines(hostId));
    if (machine === undefined) return;
    const give = (command: Bare<MachineCommand>) => this.fleet.command(hostId, machine.id, command);
    const run = machine.operation;
    if (run !== undefined) {
      const fails = { kind: "terminal", error: FAILURE } as const;
      const outcome = this.#pick([{ kind: "retry", error: FAILURE, retryAfterMs: 250 }, fails] as const);
      const acts = [
        () => give({ type: "RecordStep", origin: "host", operationId: run.id, outcome }),
        () => give({ type: "StopMachine", origin: "user" }),
        () => give({ type: "StartMachine", origin: "user" }),
        ...Array(6).fill(() => this.fleet.step(hostId, machine.id)),
      ];
      // Updates are few, and few of them fail.
      if (run.kind === "update" && this.#count % 3 === 0)
        give({ type: "RecordStep", origin: "host", operationId: run.id, outcome: fails });
      else this.#pick(acts)();
      return;
    }
    const config: MachineConfig = { image: `registry.local/hello:${this.#count}`, guest: { memory_mb: 512 } };
    const update = { config, instanceId: this.fleet.ids.ulid(), skipLaunch: this.#count % 2 === 0 };
    const exit = { ...EXIT, exited_at_ms: this.fleet.clock.nowMs() };
    this.#pick([
      () => give({ type: "StartMachine", origin: "user" }),
      () => give({ type: "RestartMachine", origin: "user" }),
      () => give({ type: "SuspendMachine", origin: "user" }),
      () => give({ type: "CordonMachine", origin: "user" }),
      () => give({ type: "UncordonMachine", origin: "user" }),
      () => give({ type: "UpdateMachine", origin: "user", ...update }),
      () => give({ type: "RecordExit", origin: "host", startId: machine.startId ?? "none", exit }),
      () => give({ type: "DropIntent", origin: "host", code: "busy", message: "no room" }),
    ])();
  }

  #toVolume(hostId: string): void {
    const host = this.fleet.host(hostId);
    const volume = this.#pick([...host.volumes.values()].filter(({ state }) => state !== "destroyed"));
    if (volume === undefined || this.fleet.ids.random() < 0.2) {
      this.#newVolume(hostId);
      return;
    }
    const { id: volumeId } = volume;
    const give = (command: Bare<VolumeCommand>) => {
      const issued = { commandId: this.fleet.ids.ulid(), atMs: this.fleet.clock.nowMs() };
      this.fleet.decideHost(hostId, {
        type: "Volume",
        volumeId,
        command: { ...issued, ...command } as VolumeCommand,
      });
    };
    const run = volume.operation;
    if (run !== undefined) {
      const outcome = this.#outcome(run.steps[run.outputs.length]?.name);
      give({ type: "RecordStep", origin: "host", operationId: run.id, outcome });
      return;
    }
    const snapshotId = `vs_${this.fleet.ids.machineId()}`;
    this.#pick([
      () => give({ type: "ExtendVolume", origin: "user", sizeGb: volume.sizeGb + 1 }),
      () => give({ type: "UpdateVolume", origin: "user", snapshotRetentionDays: this.#pick([3, 5, 9]) }),
      () => give({ type: "DestroyVolume", origin: "user" }),
      () =>
        this.fleet.decideHost(hostId, {
          ...{ type: "TakeSnapshot", volumeId, snapshotId, reservedMib: 16, origin: "user" },
        }),
      () => this.#toSnapshot(hostId, volumeId),
      () => this.#toSnapshot(hostId, volumeId),
      () =>
        this.fleet.decideHost(hostId, {
          type: "RecordRefusal",
          refused: "DestroyVolume",
          volumeId,
          ...LATER,
        }),
    ])();
  }

  #toSnapshot(hostId: string, volumeId: string): void {
    const all = [...this.fleet.host(hostId).snapshots.values()];
    const snapshot = this.#pick(all.filter((one) => one.state !== "destroyed"));
    if (snapshot === undefined) return;
    const issued = { commandId: this.fleet.ids.ulid(), atMs: this.fleet.clock.nowMs() };
    const run = snapshot.operation;
    const outcome = this.#outcome(run?.steps[run.outputs.length]?.name);
    const command: SnapshotCommand =
      run === undefined
        ? { type: "DestroySnapshot", origin: "user", ...issued }
        : { type: "RecordStep", origin: "host", operationId: run.id, outcome, ...issued };
    const about = { volumeId: snapshot.volumeId || volumeId, snapshotId: snapshot.id };
    this.fleet.decideHost(hostId, { type: "Snapshot", ...about, command });
  }

  #newVolume(hostId: string): void {
    const volumeId = `vol_${this.fleet.ids.machineId()}`;
    const about = { reservationId: this.fleet.ids.ulid(), volumeId, appName: "hello", epoch: 1 };
    const resources = { cpuMillis: 0, memoryMib: 0, volumeMib: 1_024 };
    this.fleet.decideHost(hostId, { type: "ReserveVolume", ...about, resources, ttlMs: 5_000 });
    const placed = { volumeId, appName: "hello", epoch: 1, refusals: [] };
    if (this.fleet.ids.random() < 0.2) {
      this.fleet.decideControl({ type: "RefusePlacement", ...placed, error: FAILURE });
      return;
    }
    const where = { hostId, region: "local", candidates: [] };
    this.fleet.decideControl({ type: "DecidePlacement", ...placed, ...where });
    const described = { name: "data", sizeGb: 1, autoBackup: true, snapshotRetentionDays: 5, origin: "user" };
    this.fleet.decideHost(hostId, { type: "CommitVolume", ...about, ...described });
  }

  #outcome(step: string | undefined) {
    const output =
      step === "make-snapshot"
        ? { sizeBytes: 1_000_000 }
        : step === "make-volume"
          ? { fstype: "btrfs" }
          : null;
    return this.#pick([
      { kind: "completed", output },
      { kind: "completed", output },
      { kind: "completed", output },
      { kind: "retry", error: FAILURE, retryAfterMs: 250 },
      { kind: "terminal", error: FAILURE },
    ] as const);
  }

  #toHost(hostId: string): void {
    const give = this.fleet.decideHost.bind(this.fleet, hostId);
    const machineId = this.fleet.ids.machineId();
    const known = this.#pick(this.fleet.machines(hostId))?.id ?? machineId;
    const reservationId = this.fleet.ids.ulid();
    const wanted = { reservationId, machineId, appName: "hello", epoch: 1 };
    const atMs = this.fleet.clock.nowMs();
    const config: MachineConfig = { image: "registry.local/hello:1", guest: { memory_mb: 999_999 } };
    const about = {
      name: `big-${this.#count}`,
      instanceId: this.fleet.ids.ulid(),
      config,
      skipLaunch: false,
    };
    this.#pick([
      () => give({ type: "ClaimEpoch", agentVersion: "0.1.0", bootId: `boot-${this.#count}` }),
      () => give({ type: "Cordon", owner: "ops", reason: "new disk", expiresAtMs: atMs + 60_000 }),
      () => give({ type: "Uncordon", owner: "ops", reason: "done" }),
      () => give({ type: "RaiseAlarm", alarm: "disk_low", message: "make room" }),
      () =>
        give({ type: "ReportUnknownContainer", containerId: `c${this.#count}`, reason: "not in the log" }),
      () => give({ type: "RecordRefusal", refused: "CordonHost", ...LATER }),
      () => give({ type: "RecordRefusal", refused: "StartMachine", machineId: known, ...LATER }),
      () => {
        const resources = { cpuMillis: 62, memoryMib: 256 };
        give({ type: "ReserveMachine", ...wanted, resources, ports: [], ttlMs: 5_000 });
        give({ type: "EndReservation", reservationId, reason: this.#pick(["expired", "released"]) });
      },
      () => give({ type: "RefuseCommit", ...wanted, code: "insufficient_capacity", message: "no room" }),
      () => give({ type: "CommitMachine", ...wanted, ...about, origin: "user" }),
    ])();
  }

  #toControl(hostId: string): void {
    const give = this.fleet.decideControl.bind(this.fleet);
    const atMs = this.fleet.clock.nowMs();
    const appName = this.#pick(["shop", "blog"]);
    const tokenId = `tok-${this.#count % 3}`;
    const app = { appName, appId: `${appName}-${this.#count % 2}` };
    const hostname = { hostname: `${this.#pick(["www", "api"])}.example.com`, ...app };
    const machineId = this.fleet.ids.machineId();
    const hash = "ab".repeat(32);
    const found = {
      logId: this.fleet.host(hostId).logId,
      sequence: 1,
      expected: hash,
      found: hash,
      fresh: hash,
    };
    this.#pick([
      () => give({ type: "CreateApp", ...app, orgSlug: "personal", network: "default", atMs }),
      () => give({ type: "DeleteApp", ...app, machineCount: 0 }),
      () => give({ type: "CreateToken", tokenId, name: "ci", secretHash: hash, atMs }),
      () => give({ type: "RevokeToken", tokenId }),
      () => give({ type: "ClaimHostname", ...hostname, atMs }),
      () => give({ type: "ReleaseHostname", ...hostname }),
      () =>
        give({
          type: "ClaimIdempotencyKey",
          keyHash: `k${this.#count}`,
          requestHash: hash,
          machineId,
          commandId: "c",
          atMs,
        }),
      () =>
        give({
          type: "RefusePlacement",
          machineId,
          appName: "hello",
          epoch: 1,
          refusals: [],
          error: FAILURE,
        }),
      () => give({ type: "ReportDrift", projection: "api", hostId, ...found, differences: [] }),
    ])();
  }
}
