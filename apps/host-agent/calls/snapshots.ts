import type { AnswerOf, HostLogEvent, hostCalls } from "#contracts";
import type { Recorded } from "#event-log";
import { HOST_FOLD_VERSION, type Host, hostToJson } from "#hosts";
import { RefusedError, refusal } from "#kernel";
import type { HostLedger } from "../decisions.ts";

/** State for callers: it goes out only once all of it is acknowledged by the log. */
export class Snapshots {
  readonly #ledger: HostLedger;

  constructor(ledger: HostLedger) {
    this.#ledger = ledger;
  }

  async machine(machineId: string): Promise<AnswerOf<(typeof hostCalls)["get"]>> {
    const machine = this.#ledger.state.machines.get(machineId);
    if (machine === undefined) throw notHere(machineId, this.#ledger.state);
    return { position: await this.#ledger.settled(), machine: { ...machine } };
  }

  async volume(volumeId: string): Promise<AnswerOf<(typeof hostCalls)["commitVolume"]>> {
    const { volumes, id } = this.#ledger.state;
    const volume = volumes.get(volumeId);
    if (volume === undefined) {
      throw new RefusedError(refusal("volume_not_found", `no volume ${volumeId} on host ${id}`));
    }
    return { position: await this.#ledger.settled(), volume: { ...volume } };
  }

  async snapshot(snapshotId: string): Promise<AnswerOf<(typeof hostCalls)["snapshot"]>> {
    const { snapshots, id } = this.#ledger.state;
    const snapshot = snapshots.get(snapshotId);
    if (snapshot === undefined) {
      throw new RefusedError(refusal("not_found", `no snapshot ${snapshotId} on host ${id}`));
    }
    return { position: await this.#ledger.settled(), snapshot: { ...snapshot } };
  }

  async host(): Promise<AnswerOf<(typeof hostCalls)["inspect"]>> {
    const host = hostToJson(this.#ledger.state);
    return { position: await this.#ledger.settled(), foldVersion: HOST_FOLD_VERSION, host };
  }
}

function notHere(machineId: string, host: Host): RefusedError {
  return new RefusedError(refusal("not_found", `no machine ${machineId} on host ${host.id}`));
}

type Kept<R> = R extends { readonly kind: "refused" } ? never : R;

/** What was recorded, or the refusal as what a handler throws. */
export function orRefuse(recorded: Recorded<HostLogEvent>): Kept<Recorded<HostLogEvent>> {
  if (recorded.kind === "refused") throw new RefusedError(recorded.refusal);
  return recorded;
}
