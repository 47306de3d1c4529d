import type { ControlState } from "#control";
import type { Projection } from "#event-log";
import {
  type FleetView,
  findMachine,
  type HistoryEntry,
  listHosts,
  listMachines,
  machineHistory,
} from "#fleet";
import type { Host } from "#hosts";
import type { Ids, Position } from "#kernel";
import type { Machine } from "#machines";
import type { Whereabouts } from "../machines/machine-json.ts";
import { Changes } from "./changes.ts";
import type { HostContact } from "./host-contact.ts";

/** A machine and the host that owns it. */
export interface Located {
  readonly machine: Machine;
  readonly hostId: string;
}

/** How long an answer waits for the projection to include what it just did. */
const REACH_MS = 2_000;
const OWNER_BUDGET_MS = 2_000;

/** What the API reads: the fold of everything, and the owners themselves where that is not far enough yet. */
export class FleetReader {
  readonly #projection: Projection<FleetView>;
  readonly #contact: HostContact;
  readonly #ids: Ids;

  constructor(projection: Projection<FleetView>, contact: HostContact, ids: Ids) {
    this.#projection = projection;
    this.#contact = contact;
    this.#ids = ids;
    projection.onEvent((event) => {
      if ("hostId" in event.data && typeof event.data.hostId === "string") contact.heard(event.data.hostId);
    });
  }

  get control(): ControlState {
    return this.#projection.state.control;
  }

  hosts(): Host[] {
    return listHosts(this.#projection.state);
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

  /** What the machine's owner itself says, where the projection does not know the machine or is behind. */
  async askOwner(machineId: string): Promise<Located | undefined> {
    const hostId = this.control.placements.get(machineId)?.hostId;
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

  /** The moments at which a machine changes, for one who waits. Close it afterwards. */
  changesOf(machineId: string): Changes {
    return new Changes((notify) =>
      this.#projection.onEvent((event) => {
        if ("machineId" in event.data && event.data.machineId === machineId) notify();
      }),
    );
  }
}
