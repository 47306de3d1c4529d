import { type BusClient, insist, isUnreachable } from "#bus";
import { type CallMeta, subjects, type VolumesVerb, volumesCalls } from "#contracts";
import {
  type Clock,
  Deadline,
  joinPositions,
  type Position,
  type Refusal,
  RefusedError,
  type Result,
} from "#kernel";
import type { Snapshot, Volume } from "#volumes";
import type { FleetReader, LocatedVolume } from "../fleet/fleet-reader.ts";
import type { CreateVolume, VolumeWish } from "./create-volume.ts";

/** What a host decided, and what came of it in time. */
export interface Commanded extends LocatedVolume {
  readonly position: Position;
}

/** The service that was killed meanwhile says nothing: its successor goes on with the same command when it is asked. */
const TRY_MS = 9_000;
const PATIENCE_MS = 20_000;
/** What a store does at once is done when the answer goes out; copies that take longer are shown as under way. */
const SETTLE_MS = 10_000;
const UNDER_WAY: ReadonlySet<string> = new Set(["creating", "restoring", "extending"]);

type Ask<T> = (deadlineMs: number) => Promise<Result<T>>;

/** Passes commands to the service volumes. The API decides nothing about volumes. */
export class CommandVolume {
  readonly #fleet: FleetReader;
  readonly #bus: BusClient;
  readonly #clock: Clock;
  readonly #creates: CreateVolume;

  constructor(fleet: FleetReader, bus: BusClient, clock: Clock, creates: CreateVolume) {
    this.#fleet = fleet;
    this.#bus = bus;
    this.#clock = clock;
    this.#creates = creates;
  }

  /** Answers when it is made, or with `restoring` when that takes long. What could not be made is refused. */
  async create(wish: VolumeWish, meta: CallMeta): Promise<Commanded> {
    const { request, meta: own } = await this.#creates.prepare(wish, meta);
    const subject = subjectOf("create");
    const { hostId, position, volume } = await this.#insist(own, (deadlineMs) =>
      this.#bus.call(volumesCalls.create, subject, request, { ...own, deadlineMs }),
    );
    return this.#settled({ hostId, position, volume: volume as unknown as Volume });
  }

  async extend(located: LocatedVolume, sizeGb: number, meta: CallMeta): Promise<Commanded> {
    const body = { volumeId: located.volume.id, sizeGb };
    const { extend } = volumesCalls;
    const decided = await this.#insist(meta, (deadlineMs) =>
      this.#bus.call(extend, subjectOf("extend"), body, { ...meta, deadlineMs }),
    );
    return this.#settled(commanded(located, decided));
  }

  async update(
    located: LocatedVolume,
    changes: { readonly autoBackup?: boolean; readonly snapshotRetentionDays?: number },
    meta: CallMeta,
  ): Promise<Commanded> {
    const body = { volumeId: located.volume.id, ...changes };
    const decided = await this.#insist(meta, (deadlineMs) =>
      this.#bus.call(volumesCalls.update, subjectOf("update"), body, { ...meta, deadlineMs }),
    );
    return this.#reached(commanded(located, decided));
  }

  async destroy(located: LocatedVolume, meta: CallMeta): Promise<Commanded> {
    const body = { volumeId: located.volume.id };
    const decided = await this.#insist(meta, (deadlineMs) =>
      this.#bus.call(volumesCalls.destroy, subjectOf("destroy"), body, { ...meta, deadlineMs }),
    );
    return this.#reached(commanded(located, decided));
  }

  async snapshot(
    { volume }: LocatedVolume,
    snapshotId: string,
    meta: CallMeta,
  ): Promise<{ readonly position: Position; readonly snapshot: Snapshot }> {
    const body = { volumeId: volume.id, snapshotId };
    const { position, snapshot } = await this.#insist(meta, (deadlineMs) =>
      this.#bus.call(volumesCalls.snapshot, subjectOf("snapshot"), body, { ...meta, deadlineMs }),
    );
    await this.#fleet.reach(position);
    const now = () => this.#fleet.snapshot(snapshotId)?.snapshot ?? (snapshot as unknown as Snapshot);
    await this.#until(volume.id, () => now().state !== "creating");
    assertDone(now());
    return { position: this.#seen(position), snapshot: now() };
  }

  async #insist<T>(meta: CallMeta, ask: Ask<T>): Promise<T> {
    const deadline = new Deadline(this.#clock, Math.min(PATIENCE_MS, meta.deadlineMs));
    // The service is not there for a moment. That a host is not, it has found out itself.
    const isPassing = (reason: Refusal) => isUnreachable(reason) && reason.details === undefined;
    const result = await insist(ask, { clock: this.#clock, deadline, tryMs: TRY_MS, isPassing });
    if (result.kind === "refused") throw new RefusedError(result.refusal);
    return result.answer;
  }

  async #reached(decided: Commanded): Promise<Commanded> {
    await this.#fleet.reach(decided.position);
    const known = this.#fleet.volume(decided.volume.id);
    return known === undefined ? decided : { ...known, position: decided.position };
  }

  async #settled(decided: Commanded): Promise<Commanded> {
    await this.#reached(decided);
    const { id } = decided.volume;
    const now = () => this.#fleet.volume(id) ?? decided;
    await this.#until(id, () => !UNDER_WAY.has(now().volume.state));
    assertDone(now().volume);
    return { ...now(), position: this.#seen(decided.position) };
  }

  /** Of the same log, as far as it is known by now: a read that sends it back sees no less than was shown. */
  #seen(position: Position): Position {
    const known = this.#fleet.position();
    const logs = Object.keys(position).map((log) => [log, known[log] ?? 0]);
    return joinPositions(position, Object.fromEntries(logs));
  }

  async #until(volumeId: string, isSo: () => boolean): Promise<void> {
    const changes = this.#fleet.changesOfVolume(volumeId);
    const deadline = new Deadline(this.#clock, SETTLE_MS);
    const never = new AbortController().signal;
    while (!isSo() && !deadline.passed()) await changes.next(deadline.remainingMs(), never);
    changes.close();
  }
}

function subjectOf(verb: VolumesVerb): string {
  return subjects.volumes(verb);
}

function commanded(
  { hostId }: LocatedVolume,
  { position, volume }: { readonly position: Position; readonly volume: unknown },
): Commanded {
  return { hostId, position, volume: volume as Volume };
}

/** Nobody is told of a success that was none. */
function assertDone({ id, state, error }: Volume | Snapshot): void {
  if (error === undefined) return;
  const message = `${id} is ${state}: ${error.message}`;
  const code = error.code === "disk_full" ? "disk_full" : "effect_failed";
  throw new RefusedError({ code, message, details: { id, state, error } });
}
