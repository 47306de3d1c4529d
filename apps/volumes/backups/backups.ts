import { type FleetView, listSnapshots, listVolumes } from "#fleet";
import { type Clock, type Ids, RefusedError } from "#kernel";
import type { HostVolumes } from "../calls/host-volumes.ts";
import { type Due, dailyDue, expiryDue } from "./due.ts";

export interface BackupParts {
  readonly hosts: HostVolumes;
  readonly view: () => FleetView;
  /** Resolves once what is there is known: before that everything seems to be owed a snapshot. */
  readonly caughtUp: Promise<void>;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Told of what could not be done. */
  readonly notice: (about: object, what: string) => void;
}

/** That a day is over is no event. */
const LOOK_EVERY_MS = 60_000;
/** What a host refused is asked for again so much later: it writes down each no. */
const PUT_OFF_MS = 3_600_000;
const CALL_MS = 10_000;

/** Has snapshots taken of volumes each day, and takes away those whose time is over. It keeps no state: see `dailyDue`. */
export class Backups {
  readonly #parts: BackupParts;
  /** By snapshot, when to ask for it again, on the monotonic clock. */
  readonly #putOff = new Map<string, number>();

  constructor(parts: BackupParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#parts.caughtUp;
    while (!signal.aborted) {
      await this.look(signal);
      await this.#parts.clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** Does what is due: one thing after the other at each host, all hosts side by side. */
  async look(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    for (const [id, untilMs] of this.#putOff) if (untilMs <= clock.monotonicMs()) this.#putOff.delete(id);
    const work = [...this.due()].map(async ([hostId, dues]) => {
      for (const due of dues) {
        if (signal.aborted || !(await this.#do(due, hostId))) return;
      }
    });
    await Promise.all(work);
  }

  /** What is due at this moment and was not put off, by host. */
  due(): Map<string, Due[]> {
    const nowMs = this.#parts.clock.nowMs();
    const view = this.#parts.view();
    const snapshots = Map.groupBy(listSnapshots(view), ({ snapshot }) => snapshot.volumeId);
    const owed = new Map<string, Due[]>();
    const owe = (hostId: string, due: Due | undefined) => {
      if (due !== undefined && !this.#putOff.has(due.snapshotId))
        owed.set(hostId, [...(owed.get(hostId) ?? []), due]);
    };
    for (const { volume, hostId } of listVolumes(view)) {
      if (volume === undefined || hostId === undefined) continue;
      const own = (snapshots.get(volume.id) ?? []).map(({ snapshot }) => snapshot);
      owe(hostId, dailyDue(volume, own, nowMs));
    }
    for (const { snapshot, hostId } of [...snapshots.values()].flat())
      owe(hostId, expiryDue(snapshot, nowMs));
    return owed;
  }

  /** False when the host is not there: everything else of it waits, too. */
  async #do(due: Due, hostId: string): Promise<boolean> {
    const { hosts, clock, ids, notice } = this.#parts;
    const commandId = `${due.origin}-${due.snapshotId}`;
    const meta = { commandId, correlationId: ids.ulid(), causationId: commandId, actor: "volumes" };
    try {
      await hosts.snapshot(due, { ...meta, deadlineMs: CALL_MS });
      return true;
    } catch (thrown) {
      notice({ ...due, hostId, err: thrown }, "what is due of a snapshot could not be done");
      const isAway = thrown instanceof RefusedError && thrown.refusal.code === "unreachable";
      if (!isAway) this.#putOff.set(due.snapshotId, clock.monotonicMs() + PUT_OFF_MS);
      return !isAway;
    }
  }
}
