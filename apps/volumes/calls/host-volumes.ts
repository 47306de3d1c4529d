import { type BusClient, insist, isUnreachable } from "#bus";
import {
  type AnswerOf,
  type CallMeta,
  hostCalls,
  type RequestOf,
  schedulerCalls,
  subjects,
  type VolumeRequest,
} from "#contracts";
import { type ControlCommands, type FleetView, findVolume } from "#fleet";
import { type Clock, Deadline, type Refusal, RefusedError, type Result, refusal } from "#kernel";

type PlaceVolume = (typeof schedulerCalls)["placeVolume"];
type CommandVolume = (typeof hostCalls)["volume"];
type CommandSnapshot = (typeof hostCalls)["snapshot"];

/** An agent that is restarted is back before this has passed; a host that is cut off is not worth waiting for. */
const PATIENCE_MS = 8_000;
const TRY_MS = 4_000;
/** A scheduler that was killed meanwhile says nothing: its successor goes on with the same command when it is asked. */
const PLACE_TRY_MS = 5_000;

/**
 * Has volumes made by the scheduler, and asks the hosts that own them for everything else: by the same command's id until
 * they answer. The host decides; here is only known where it is (I3). Refusals are thrown as `RefusedError`.
 */
export class HostVolumes {
  readonly #bus: BusClient;
  readonly #view: () => FleetView;
  readonly #control: ControlCommands;
  readonly #clock: Clock;

  constructor(bus: BusClient, view: () => FleetView, control: ControlCommands, clock: Clock) {
    this.#bus = bus;
    this.#view = view;
    this.#control = control;
    this.#clock = clock;
  }

  async create(request: RequestOf<PlaceVolume>, meta: CallMeta): Promise<AnswerOf<PlaceVolume>> {
    const { placeVolume } = schedulerCalls;
    const subject = subjects.scheduler("place-volume");
    const how = {
      clock: this.#clock,
      deadline: new Deadline(this.#clock, meta.deadlineMs),
      tryMs: PLACE_TRY_MS,
      // The scheduler is not there for a moment. That no host could be found is a decision.
      isPassing: (reason: Refusal) => isUnreachable(reason) && reason.details?.hosts === undefined,
    };
    return orThrow(
      await insist(
        (deadlineMs) => this.#bus.call(placeVolume, subject, request, { ...meta, deadlineMs }),
        how,
      ),
    );
  }

  async command(volumeId: string, command: VolumeRequest, meta: CallMeta): Promise<AnswerOf<CommandVolume>> {
    return this.#ask(volumeId, meta, (hostId, timely) =>
      this.#bus.call(hostCalls.volume, subjects.hostCommand(hostId, "volume"), { volumeId, command }, timely),
    );
  }

  async snapshot(request: RequestOf<CommandSnapshot>, meta: CallMeta): Promise<AnswerOf<CommandSnapshot>> {
    return this.#ask(request.volumeId, meta, (hostId, timely) =>
      this.#bus.call(hostCalls.snapshot, subjects.hostCommand(hostId, "snapshot"), request, timely),
    );
  }

  /** Asks the host of a volume until it answers: whatever is asked, it does once. */
  async #ask<T>(
    volumeId: string,
    meta: CallMeta,
    ask: (hostId: string, timely: CallMeta) => Promise<Result<T>>,
  ): Promise<T> {
    const hostId = await this.#hostOf(volumeId);
    const deadline = new Deadline(this.#clock, Math.min(PATIENCE_MS, meta.deadlineMs));
    const how = { clock: this.#clock, deadline, tryMs: TRY_MS, isPassing: isUnreachable };
    const result = await insist((deadlineMs) => ask(hostId, { ...meta, deadlineMs }), how);
    return orThrow(
      result.kind === "answer"
        ? result
        : { kind: "refused", refusal: atHost(result.refusal, hostId, volumeId) },
    );
  }

  /** By the projection, else by CONTROL: nobody is told that there is no volume because a projection lacks it. */
  async #hostOf(volumeId: string): Promise<string> {
    const known = findVolume(this.#view(), volumeId)?.hostId;
    const hostId = known ?? (await this.#placed(volumeId));
    if (hostId !== undefined) return hostId;
    throw new RefusedError(refusal("volume_not_found", `no volume ${volumeId}`));
  }

  async #placed(volumeId: string): Promise<string | undefined> {
    return (await this.#control.load("volume", volumeId)).volumePlacements.get(volumeId)?.hostId;
  }
}

function atHost(reason: Refusal, hostId: string, volumeId: string): Refusal {
  if (reason.code !== "unreachable" && reason.code !== "deadline_exceeded") return reason;
  const message = `host ${hostId}, where volume ${volumeId} is, does not answer: try again when it is back`;
  return refusal("unreachable", message, { retryAfterMs: 5_000, details: { hostId, volumeId } });
}

function orThrow<T>(result: Result<T>): T {
  if (result.kind === "refused") throw new RefusedError(result.refusal);
  return result.answer;
}
