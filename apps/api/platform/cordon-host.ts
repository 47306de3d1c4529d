import { type BusClient, insist, isUnreachable } from "#bus";
import { type CallMeta, hostCalls, type RequestOf, subjects } from "#contracts";
import { type Clock, Deadline, type Position, RefusedError } from "#kernel";
import type { FleetReader } from "../fleet/fleet-reader.ts";

export type CordonRequest = RequestOf<typeof hostCalls.cordon>;

/** An agent that is restarted is back before this has passed. */
const PATIENCE_MS = 8_000;
const TRY_MS = 4_000;

/** Tells a host to take no new machines, or to take some again. The host itself keeps it, and ends it in time (F24). */
export class CordonHost {
  readonly #fleet: FleetReader;
  readonly #bus: BusClient;
  readonly #clock: Clock;

  constructor(fleet: FleetReader, bus: BusClient, clock: Clock) {
    this.#fleet = fleet;
    this.#bus = bus;
    this.#clock = clock;
  }

  /** Said twice, it is decided once. Resolves to where the decision stands; throws the host's refusal. */
  async run(hostId: string, request: CordonRequest, meta: CallMeta): Promise<Position> {
    const subject = subjects.hostCommand(hostId, "cordon");
    const result = await insist(
      (deadlineMs) => this.#bus.call(hostCalls.cordon, subject, request, { ...meta, deadlineMs }),
      {
        clock: this.#clock,
        deadline: new Deadline(this.#clock, PATIENCE_MS),
        tryMs: TRY_MS,
        isPassing: isUnreachable,
      },
    );
    if (result.kind === "refused") throw new RefusedError(result.refusal);
    await this.#fleet.reach(result.answer.position);
    return result.answer.position;
  }
}
