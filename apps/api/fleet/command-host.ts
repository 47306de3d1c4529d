import { type BusClient, insist, isUnreachable } from "#bus";
import { type AnswerOf, type CallMeta, hostCalls, type RequestOf, subjects } from "#contracts";
import { type Clock, Deadline, RefusedError } from "#kernel";
import type { FleetReader } from "./fleet-reader.ts";

/** What hosts decide on, and write down. */
type Decided = Pick<typeof hostCalls, "machine" | "cordon">;

/** An agent that is restarted is back before this has passed; a host that is cut off is not worth waiting for. */
const PATIENCE_MS = 8_000;
const TRY_MS = 4_000;

/** Passes commands to the hosts that they are for. The host decides; the API only knows where it is (I3). */
export class CommandHost {
  readonly #fleet: FleetReader;
  readonly #bus: BusClient;
  readonly #clock: Clock;

  constructor(fleet: FleetReader, bus: BusClient, clock: Clock) {
    this.#fleet = fleet;
    this.#bus = bus;
    this.#clock = clock;
  }

  /**
   * However often it is asked, the host decides once on a command's id. Resolves when reads include the decision; throws the
   * host's refusal.
   */
  async run<V extends keyof Decided>(
    verb: V,
    hostId: string,
    body: RequestOf<Decided[V]>,
    meta: CallMeta,
  ): Promise<AnswerOf<Decided[V]>> {
    const call: Decided[V] = hostCalls[verb];
    const deadline = new Deadline(this.#clock, Math.min(PATIENCE_MS, meta.deadlineMs));
    const result = await insist(
      (deadlineMs) => this.#bus.call(call, subjects.hostCommand(hostId, verb), body, { ...meta, deadlineMs }),
      { clock: this.#clock, deadline, tryMs: TRY_MS, isPassing: isUnreachable },
    );
    if (result.kind === "refused") throw new RefusedError(result.refusal);
    await this.#fleet.reach(result.answer.position);
    return result.answer;
  }
}
