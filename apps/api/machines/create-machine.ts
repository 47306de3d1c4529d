import { type BusClient, insist, isUnreachable } from "#bus";
import { type AnswerOf, type CallMeta, type RequestOf, schedulerCalls, subjects } from "#contracts";
import type { ControlCommands, Presence } from "#fleet";
import { type Clock, Deadline, type Ids, type Position, type Refusal, RefusedError, refusal } from "#kernel";
import { isTerminal, type Machine } from "#machines";
import type { FleetReader } from "../fleet/fleet-reader.ts";
import type { IdempotencyKeys } from "../http/idempotency-keys.ts";
import { nameFor } from "./names.ts";

export interface CreateRequest {
  readonly appName: string;
  readonly name: string | undefined;
  readonly region: string;
  readonly config: Machine["config"];
  readonly skipLaunch: boolean;
  /** Only when it is: what an older API made of an `Idempotency-Key` has to compare equal. */
  readonly isCordoned?: true;
  /** Of the caller: the same key drives the same machine and the same command, however often. */
  readonly idempotencyKey: string | undefined;
}

export interface Created {
  readonly machineId: string;
  readonly hostId: string;
  readonly position: Position;
  /** The machine as its host has just decided it. */
  readonly machine: Machine;
}

type Place = (typeof schedulerCalls)["place"];

const NAME_TRIES = 5;
/** A scheduler that was killed meanwhile says nothing: its successor goes on with the same command when it is asked. */
const PLACE_TRY_MS = 5_000;

/**
 * A create, as far as the API takes it: mint the ids, claim the name, ask the scheduler. It never writes machine
 * state. Whatever is repeated after a crash or a lost answer meets its own earlier traces under the same ids.
 */
export class CreateMachine {
  readonly #fleet: FleetReader;
  readonly #control: ControlCommands;
  readonly #keys: IdempotencyKeys;
  readonly #bus: BusClient;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(
    fleet: FleetReader,
    control: ControlCommands,
    keys: IdempotencyKeys,
    bus: BusClient,
    clock: Clock,
    ids: Ids,
  ) {
    this.#fleet = fleet;
    this.#control = control;
    this.#keys = keys;
    this.#bus = bus;
    this.#clock = clock;
    this.#ids = ids;
  }

  async run(request: CreateRequest, meta: CallMeta): Promise<Created> {
    const { machineId, commandId } = await this.#claimKey(request, meta);
    const command = { ...meta, commandId };
    const name = await this.#claimName(request, machineId, command);
    const { appName, region, config, skipLaunch, isCordoned } = request;
    // The version's id follows from the command, so that a repeat asks for the very same machine.
    const place = {
      ...{ machineId, appName, name, region, config, skipLaunch, instanceId: commandId },
      ...(isCordoned && { isCordoned }),
    };
    const { hostId, position, machine } = await this.#place(place, command);
    return { machineId, hostId, position, machine: machine as unknown as Machine };
  }

  async #place(place: RequestOf<Place>, meta: CallMeta): Promise<AnswerOf<Place>> {
    const deadline = new Deadline(this.#clock, meta.deadlineMs);
    const ask = (deadlineMs: number) =>
      this.#bus.call(schedulerCalls.place, subjects.scheduler("place"), place, { ...meta, deadlineMs });
    // The scheduler or the chosen host is not there for a moment. That no host could be found is a decision.
    const isPassing = (reason: Refusal) => isUnreachable(reason) && reason.details?.hosts === undefined;
    const how = { clock: this.#clock, deadline, tryMs: PLACE_TRY_MS, isPassing };
    const result = await insist(ask, how);
    if (result.kind === "refused") throw new RefusedError(result.refusal);
    return result.answer;
  }

  async #claimKey(request: CreateRequest, meta: CallMeta) {
    const minted = { machineId: this.#ids.machineId(), commandId: meta.commandId };
    const claim = await this.#keys.claim(request, minted, meta);
    const { machineId = minted.machineId, commandId } = claim;
    if (claim.isLate) await this.#assertNotGone(machineId);
    return { machineId, commandId };
  }

  /** A host forgets what was destroyed long ago: a late repeat must not make the machine again. */
  async #assertNotGone(machineId: string): Promise<void> {
    const { placements } = await this.#control.load("machine", machineId);
    if (placements.get(machineId)?.hostId === undefined) return;
    if ((await this.#fleet.locate(machineId)) !== undefined) return;
    const message = `machine ${machineId} of this Idempotency-Key does not exist any more: send a new key`;
    throw new RefusedError(refusal("wrong_state", message, { details: { machineId } }));
  }

  /** A given name is taken or refused; a made-up one is made up again. */
  async #claimName(request: CreateRequest, machineId: string, meta: CallMeta): Promise<string> {
    const { appName } = request;
    const earlier = this.#fleet.machine(machineId)?.machine.name;
    if (earlier !== undefined) return earlier;
    for (let tries = 1; ; tries += 1) {
      const name = request.name ?? nameFor(machineId, tries);
      try {
        const claim = { appName, name, machineId, atMs: this.#clock.nowMs() };
        await this.#control.claimName(claim, (holder) => this.#presenceOf(holder), meta);
        return name;
      } catch (thrown) {
        const isTaken = thrown instanceof RefusedError && thrown.refusal.code === "name_taken";
        if (!isTaken || request.name !== undefined || tries === NAME_TRIES) throw thrown;
      }
    }
  }

  /** What became of the holder of a name: by the projection, else by CONTROL's and its owner's own word (I3). */
  async #presenceOf(machineId: string): Promise<Presence> {
    const found = await this.#fleet.locate(machineId);
    if (found !== undefined) return isTerminal(found.machine.state) ? "gone" : "there";
    const placement = (await this.#control.load("machine", machineId)).placements.get(machineId);
    return placement !== undefined && placement.hostId === undefined ? "gone" : "unknown";
  }
}
