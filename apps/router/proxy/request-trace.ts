import type { RequestTrace, TRACE_STAGES } from "#contracts";
import type { Route } from "#routing";

export type TraceStage = (typeof TRACE_STAGES)[number];

export interface TraceAbout {
  readonly route?: Route;
  /** Why, for `held`, `retried` and `refused`. */
  readonly reason?: string;
}

/** As many as the contract takes, with room for the last word. */
const MOST_STAGES = 63;
const LONGEST_PATH = 2_048;
/** Of one machine. */
const ONCE: ReadonlySet<TraceStage> = new Set(["asked", "accepted", "started"]);

/** What became of one request that did not simply pass. */
export class TraceRecorder {
  readonly #head: Omit<RequestTrace, "stages" | "status">;
  readonly #startMs: number;
  readonly #stages: RequestTrace["stages"] = [];

  /** `startMs`: when the request's head had arrived, monotonic milliseconds. */
  constructor(head: Omit<RequestTrace, "stages" | "status">, startMs: number) {
    this.#head = { ...head, path: head.path.split("?", 1)[0]!.slice(0, LONGEST_PATH) };
    this.#startMs = startMs;
  }

  /** The stage is reached, `nowMs` monotonic. What is reached once is told once; tries are all told. */
  note(stage: TraceStage, nowMs: number, { route, reason }: TraceAbout = {}): void {
    if (stage !== "ended" && (this.#stages.length >= MOST_STAGES || this.#isTold(stage, route))) return;
    this.#stages.push({
      stage,
      afterMs: Math.max(0, Math.round((nowMs - this.#startMs) * 1_000) / 1_000),
      ...(route !== undefined && { machineId: route.machineId, hostId: route.hostId }),
      ...(reason !== undefined && { reason }),
    });
  }

  #isTold(stage: TraceStage, route: Route | undefined): boolean {
    if (!ONCE.has(stage)) return false;
    return this.#stages.some((told) => told.stage === stage && told.machineId === route?.machineId);
  }

  /** The whole of it, once the request is over. `status` is left out when the client went away before an answer. */
  trace(status: number | undefined): RequestTrace {
    return { ...this.#head, stages: this.#stages, ...(status !== undefined && { status }) };
  }
}
