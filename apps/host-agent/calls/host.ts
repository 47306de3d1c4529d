import type { AnswerOf, CallMeta, hostCalls, RequestOf } from "#contracts";
import type { HostLog } from "#event-log";
import { RefusedError, refusal } from "#kernel";
import type { Decisions } from "../decisions.ts";
import { orRefuse, type Snapshots } from "./snapshots.ts";

type Inspect = (typeof hostCalls)["inspect"];
type Events = (typeof hostCalls)["events"];
type Cordon = (typeof hostCalls)["cordon"];

/** Commands and questions about the host as a whole. */
export class HostCalls {
  readonly #decisions: Decisions;
  readonly #snapshots: Snapshots;
  readonly #log: HostLog;

  constructor(decisions: Decisions, snapshots: Snapshots, log: HostLog) {
    this.#decisions = decisions;
    this.#snapshots = snapshots;
    this.#log = log;
  }

  inspect(): Promise<AnswerOf<Inspect>> {
    return this.#snapshots.host();
  }

  /** A stretch of this host's log as it stands there: for readers with a gap (F06). */
  async events({ logId, fromSequence, limit }: RequestOf<Events>): Promise<AnswerOf<Events>> {
    if (logId !== this.#log.logId) {
      const message = `the log of this host is ${this.#log.logId}, not ${logId}`;
      throw new RefusedError(refusal("not_found", message, { details: { logId: this.#log.logId } }));
    }
    return this.#log.stretch(fromSequence, limit);
  }

  async cordon(request: RequestOf<Cordon>, meta: CallMeta): Promise<AnswerOf<Cordon>> {
    const { owner, reason } = request;
    const command =
      request.kind === "cordon"
        ? ({ type: "Cordon", owner, reason, expiresAtMs: request.expiresAtMs } as const)
        : ({ type: "Uncordon", owner, reason } as const);
    const { position } = orRefuse(await this.#decisions.asked(command, meta));
    return { position };
  }
}
