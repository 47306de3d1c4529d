import { type RecordedEvent, SUBJECT_TOKEN } from "#contracts";
import type { AppRecord, ControlState } from "#control";
import type { Projection } from "#event-log";
import {
  type ControlCommands,
  type FleetView,
  type FoundSnapshot,
  findMachine,
  findSnapshot,
  findVolume,
  type HistoryEntry,
  listHosts,
  listMachines,
  listSnapshots,
  listVolumes,
  machineHistory,
} from "#fleet";
import type { Host } from "#hosts";
import { type Ids, type Position, RefusedError, refusal } from "#kernel";
import type { Machine } from "#machines";
import type { Volume } from "#volumes";
import type { Whereabouts } from "../machines/machine-json.ts";
import { Changes } from "./changes.ts";
import type { HostContact } from "./host-contact.ts";

/** A machine and the host that owns it. */
export interface Located {
  readonly machine: Machine;
  readonly hostId: string;
}

/** A volume and the host that owns it. */
export interface LocatedVolume {
  readonly volume: Volume;
  readonly hostId: string;
}

/** How long an answer waits for the projection to include what it just did. */
const REACH_MS = 2_000;
const OWNER_BUDGET_MS = 2_000;

/** What the API reads: the fold of everything, and the owners themselves where that is not far enough yet. */
export class FleetReader {
  readonly #projection: Projection<FleetView>;
  readonly #contact: HostContact;
  readonly #commands: ControlCommands;
  readonly #ids: Ids;

  constructor(projection: Projection<FleetView>, contact: HostContact, commands: ControlCommands, ids: Ids) {
    this.#projection = projection;
    this.#contact = contact;
    this.#commands = commands;
    this.#ids = ids;
  }

  get control(): ControlState {
    return this.#projection.state.control;
  }

  hosts(): Host[] {
    return listHosts(this.#projection.state);
  }

  /** The host of exactly this id (F48). Throws a refusal `not_found`. */
  hostOf(hostId: string): Host {
    const hosts = this.hosts();
    const host = hosts.find(({ id }) => id === hostId);
    if (host !== undefined) return host;
    const known = hosts.map(({ id }) => id).join(", ");
    throw new RefusedError(refusal("not_found", `no host ${hostId}: there are ${known}`));
  }

  position(): Position {
    return this.#projection.position();
  }

  /** Whether something is known to be missing: the hub is silent, or a log has a gap. */
  isStale(): boolean {
    const { loss, logs } = this.#projection.staleness();
    return loss !== undefined || logs.length > 0;
  }

  quarantined(): number {
    return this.#projection.quarantine.count;
  }

  machine(machineId: string): Located | undefined {
    const { machine, hostId } = findMachine(this.#projection.state, machineId) ?? {};
    return machine === undefined || hostId === undefined ? undefined : { machine, hostId };
  }

  /** Machines of one app, or all, in the order in which they were created. */
  machinesOf(appName?: string): Located[] {
    return listMachines(this.#projection.state, appName).flatMap(({ machine, hostId }) =>
      machine === undefined || hostId === undefined ? [] : [{ machine, hostId }],
    );
  }

  volume(volumeId: string): LocatedVolume | undefined {
    const { volume, hostId } = findVolume(this.#projection.state, volumeId) ?? {};
    return volume === undefined || hostId === undefined ? undefined : { volume, hostId };
  }

  /** Volumes of one app, or all; destroyed ones for as long as they are remembered. */
  volumesOf(appName?: string): LocatedVolume[] {
    return listVolumes(this.#projection.state, appName).flatMap(({ volume, hostId }) =>
      volume === undefined || hostId === undefined ? [] : [{ volume, hostId }],
    );
  }

  snapshot(snapshotId: string): FoundSnapshot | undefined {
    return findSnapshot(this.#projection.state, snapshotId);
  }

  /** Snapshots of a volume, which they may outlive, or all, oldest first. */
  snapshotsOf(volumeId?: string): FoundSnapshot[] {
    return listSnapshots(this.#projection.state, volumeId);
  }

  regionOf(hostId: string): string | undefined {
    return this.hosts().find(({ id }) => id === hostId)?.region;
  }

  /** The last events of a machine, oldest first. */
  historyOf(machineId: string): HistoryEntry[] {
    return machineHistory(this.#projection.state, machineId);
  }

  whereabouts(hostId: string): Whereabouts {
    return { hostId, status: this.#contact.statusOf(hostId) };
  }

  /** Waits, for at most 2 s, until everything up to `position` is included. False when it is not. */
  async reach(position: Position): Promise<boolean> {
    return this.#projection.waitFor(position, REACH_MS);
  }

  /**
   * The app of that exact name (F48). Nobody is told that it does not exist because a projection lacks it: CONTROL itself
   * is asked. Throws a refusal `not_found`, or `unreachable` when nobody can tell.
   */
  async app(appName: string): Promise<AppRecord> {
    const known = this.control.apps.get(appName);
    const app = known === undefined || known.deleted ? await this.#appInControl(appName) : known;
    if (app !== undefined && !app.deleted) return app;
    throw new RefusedError(refusal("not_found", `no app ${appName}: create it with POST /v1/apps`));
  }

  async #appInControl(appName: string): Promise<AppRecord | undefined> {
    if (!SUBJECT_TOKEN.test(appName)) return undefined;
    return (await this.#commands.load("app", appName)).apps.get(appName);
  }

  /** The machine, by the projection or, where that does not know it, by its owner. Undefined when it does not exist. */
  async locate(machineId: string): Promise<Located | undefined> {
    return this.machine(machineId) ?? this.askOwner(machineId);
  }

  /** The machine of that exact id in that app: a create is seen at once. Throws a refusal `not_found`. */
  async machineOf(appName: string, machineId: string): Promise<Located> {
    const located = SUBJECT_TOKEN.test(machineId) ? await this.locate(machineId) : undefined;
    if (located !== undefined && located.machine.appName === appName) return located;
    await this.app(appName);
    throw new RefusedError(refusal("not_found", `no machine ${machineId} in app ${appName}`));
  }

  /**
   * What the machine's owner itself says, for what the projection does not know. Throws a refusal when CONTROL or the owner
   * cannot be asked: silence does not mean that there is no such machine.
   */
  async askOwner(machineId: string): Promise<Located | undefined> {
    const hostId = await this.#ownerOf(machineId);
    if (hostId === undefined) return undefined;
    const id = this.#ids.ulid();
    const meta = {
      commandId: id,
      correlationId: id,
      causationId: id,
      actor: "api",
      deadlineMs: OWNER_BUDGET_MS,
    };
    const machine = await this.#contact.machine(hostId, machineId, meta);
    return machine === undefined ? undefined : { machine, hostId };
  }

  async #ownerOf(machineId: string): Promise<string | undefined> {
    const known = this.control.placements.get(machineId)?.hostId;
    return known ?? (await this.#commands.load("machine", machineId)).placements.get(machineId)?.hostId;
  }

  /** The host that a volume was placed on, by the projection or by CONTROL itself. */
  async hostOfVolume(volumeId: string): Promise<string | undefined> {
    const known = findVolume(this.#projection.state, volumeId)?.hostId;
    if (known !== undefined) return known;
    return (await this.#commands.load("volume", volumeId)).volumePlacements.get(volumeId)?.hostId;
  }

  /** The moments at which a machine changes, for one who waits. Close it afterwards. */
  changesOf(machineId: string): Changes {
    return this.#changes(({ data }) => "machineId" in data && data.machineId === machineId);
  }

  /** Likewise a volume and its snapshots. */
  changesOfVolume(volumeId: string): Changes {
    return this.#changes(({ data }) => "volumeId" in data && data.volumeId === volumeId);
  }

  #changes(isMeant: (event: RecordedEvent) => boolean): Changes {
    return new Changes((notify) =>
      this.#projection.onEvent((event) => {
        if (isMeant(event)) notify();
      }),
    );
  }
}
