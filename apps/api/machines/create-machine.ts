import { createHash } from "node:crypto";
import type { BusClient } from "#bus";
import { type CallMeta, schedulerCalls, subjects } from "#contracts";
import type { ControlCommands } from "#fleet";
import { type Clock, canonicalHash, type Ids, type Position, RefusedError } from "#kernel";
import { isTerminal, type Machine } from "#machines";
import type { FleetReader } from "../fleet/fleet-reader.ts";
import { nameFor } from "./names.ts";

export interface CreateRequest {
  readonly appName: string;
  readonly name: string | undefined;
  readonly region: string;
  readonly config: Machine["config"];
  readonly skipLaunch: boolean;
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

const NAME_TRIES = 5;

/**
 * A create, as far as the API takes it: mint the ids, claim the name, ask the scheduler. It never writes machine
 * state. Whatever is repeated after a crash or a lost answer meets its own earlier traces under the same ids.
 */
export class CreateMachine {
  readonly #fleet: FleetReader;
  readonly #control: ControlCommands;
  readonly #bus: BusClient;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(fleet: FleetReader, control: ControlCommands, bus: BusClient, clock: Clock, ids: Ids) {
    this.#fleet = fleet;
    this.#control = control;
    this.#bus = bus;
    this.#clock = clock;
    this.#ids = ids;
  }

  async run(request: CreateRequest, meta: CallMeta): Promise<Created> {
    const { machineId, commandId } = await this.#claimKey(request, meta);
    const command = { ...meta, commandId };
    const name = await this.#claimName(request, machineId, command);
    const { appName, region, config, skipLaunch } = request;
    // The version's id follows from the command, so that a repeat asks for the very same machine.
    const place = { machineId, appName, name, region, config, skipLaunch, instanceId: commandId };
    const result = await this.#bus.call(schedulerCalls.place, subjects.scheduler("place"), place, command);
    if (result.kind === "refused") throw new RefusedError(result.refusal);
    const { hostId, position, machine } = result.answer;
    return { machineId, hostId, position, machine: machine as unknown as Machine };
  }

  async #claimKey(request: CreateRequest, meta: CallMeta) {
    const minted = { machineId: this.#ids.machineId(), commandId: meta.commandId };
    const { idempotencyKey, ...body } = request;
    if (idempotencyKey === undefined) return minted;
    const scope = `${meta.actor}\n${request.appName}\n${idempotencyKey}`;
    const keyHash = createHash("sha256").update(scope).digest("hex");
    const requestHash = canonicalHash(body);
    const atMs = this.#clock.nowMs();
    const { state } = await this.#control.execute(
      { type: "ClaimIdempotencyKey", keyHash, requestHash, ...minted, atMs },
      meta,
    );
    return state.idempotencyKeys.get(keyHash) ?? minted;
  }

  /** A given name is taken or refused; a made-up one is made up again. */
  async #claimName(request: CreateRequest, machineId: string, meta: CallMeta): Promise<string> {
    const { appName } = request;
    const earlier = this.#fleet.machine(machineId)?.machine.name;
    if (earlier !== undefined) return earlier;
    for (let tries = 1; ; tries += 1) {
      const name = request.name ?? nameFor(machineId, tries);
      try {
        await this.#control.claimName({ appName, name, machineId }, (holder) => this.#exists(holder), meta);
        return name;
      } catch (thrown) {
        const isTaken = thrown instanceof RefusedError && thrown.refusal.code === "name_taken";
        if (!isTaken || request.name !== undefined || tries === NAME_TRIES) throw thrown;
      }
    }
  }

  /** Whether the holder of a name is there still: by the projection, else by its owner's own word (I3). */
  async #exists(machineId: string): Promise<boolean> {
    const known = this.#fleet.machine(machineId);
    if (known !== undefined) return !isTerminal(known.machine.state);
    return this.#fleet
      .askOwner(machineId)
      .then((found) => found !== undefined && !isTerminal(found.machine.state));
  }
}
