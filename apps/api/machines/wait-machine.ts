import { type Clock, Deadline, RefusedError, refusal } from "#kernel";
import { isTerminal, isTransient, type Machine } from "#machines";
import type { FleetReader } from "../fleet/fleet-reader.ts";
import type { WaitQuery } from "./requests.ts";

export interface Waited {
  readonly machine: Machine;
  /** The newest event of the machine at that moment. */
  readonly eventId: string;
}

/** Waits until a machine is in one of some states: on events, never by asking again. */
export class WaitMachine {
  readonly #fleet: FleetReader;
  readonly #clock: Clock;

  constructor(fleet: FleetReader, clock: Clock) {
    this.#fleet = fleet;
    this.#clock = clock;
  }

  /** Throws a refusal `deadline_exceeded` (408) that says what the machine waits for, and `invalid` when it never can. */
  async run(machineId: string, query: WaitQuery, signal: AbortSignal): Promise<Waited> {
    const deadline = new Deadline(this.#clock, query.timeout * 1_000);
    const changes = this.#fleet.changesOf(machineId);
    try {
      for (;;) {
        const found = this.#look(machineId, query);
        if (found !== undefined) return found;
        if (deadline.passed()) return await this.#askOwner(machineId, query);
        await changes.next(deadline.remainingMs(), signal);
        if (signal.aborted) throw new RefusedError(refusal("cancelled", "the client went away"));
      }
    } finally {
      changes.close();
    }
  }

  #look(machineId: string, query: WaitQuery): Waited | undefined {
    const machine = this.#fleet.machine(machineId)?.machine;
    if (machine === undefined) return undefined;
    const eventId = this.#fleet.historyOf(machineId).at(-1)?.eventId ?? "";
    const isAfter = query.from_event_id === undefined || eventId > query.from_event_id;
    if (isVersion(machine, query) && isAfter && isIn(machine, query.state)) return { machine, eventId };
    if (isTerminal(machine.state)) {
      const message = `machine ${machineId} is ${machine.state}: it will never be ${query.state.join(" or ")}`;
      throw new RefusedError(refusal("wrong_state", message, { details: { state: machine.state } }));
    }
    return undefined;
  }

  /** The projection may be behind: before anybody is told that he waited in vain, the owner has the last word (I3). */
  async #askOwner(machineId: string, query: WaitQuery): Promise<Waited> {
    const machine = (await this.#fleet.askOwner(machineId).catch(() => undefined))?.machine;
    const eventId = this.#fleet.historyOf(machineId).at(-1)?.eventId ?? "";
    const isMeant = query.from_event_id === undefined && machine !== undefined && isVersion(machine, query);
    if (isMeant && isIn(machine, query.state)) return { machine, eventId };
    throw new RefusedError(this.#timedOut(machineId, query));
  }

  #timedOut(machineId: string, query: WaitQuery) {
    const machine = this.#fleet.machine(machineId)?.machine;
    const step = machine?.operation?.steps[machine.operation.outputs.length]?.name;
    const waits = step === undefined ? "" : `, waiting for ${step}`;
    const error = machine?.operation?.lastError?.message;
    const why = error === undefined ? "" : ` (${error})`;
    const message = `machine ${machineId} is ${machine?.state ?? "not known here yet"}${waits}${why}: not ${query.state.join(" or ")} after ${query.timeout} s`;
    return refusal("deadline_exceeded", message);
  }
}

function isVersion(machine: Machine, { version, instance_id: instanceId }: WaitQuery): boolean {
  const wanted = version ?? instanceId;
  return wanted === undefined || machine.instanceId === wanted;
}

function isIn(machine: Machine, states: WaitQuery["state"]): boolean {
  return states.some((state) =>
    state === "settled" ? !isTransient(machine.state) && !isOwed(machine) : machine.state === state,
  );
}

/** A new machine that will be launched, or one that has a command queued, has not settled. */
function isOwed(machine: Machine): boolean {
  if (machine.queued !== undefined || machine.state === "launch_failed") return true;
  return machine.state === "created" && !machine.skipLaunch && !machine.everStarted;
}
