import type { Metrics } from "#service";
import type { RefusedCode } from "./refused.ts";

/** Seconds: a wake takes a tenth of one, the deadline is half a minute. */
const HOLD_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** What is counted about requests. */
export class ProxyMetrics {
  readonly held: () => void;
  readonly heldFor: (seconds: number) => void;
  readonly woke: () => void;
  readonly retried: () => void;
  readonly traceDropped: () => void;
  readonly #metrics: Metrics;
  readonly #answers: readonly ((by?: number) => void)[];
  readonly #left: () => void;
  readonly #refusals = new Map<RefusedCode, () => void>();
  #inFlight = 0;

  constructor(metrics: Metrics, heldNow: () => number) {
    this.#metrics = metrics;
    const requests = (name: string) =>
      metrics.counter("drover_router_requests_total", "Requests that ended, by their answer.", {
        class: name,
      });
    this.#answers = CLASSES.map(requests);
    this.#left = requests("none");
    metrics.gauge("drover_router_requests_in_flight", "Requests and tunnels.", () => this.#inFlight);
    metrics.gauge("drover_router_requests_held", "Requests that wait for a machine.", heldNow);
    this.held = metrics.counter("drover_router_held_total", "Requests that had to wait for a machine.");
    this.heldFor = metrics.histogram("drover_router_hold_seconds", "How long they waited.", HOLD_SECONDS);
    this.woke = metrics.counter("drover_router_wakes_total", "Wakes that hosts were asked for.");
    this.retried = metrics.counter("drover_router_retries_total", "Tries after the first.");
    this.traceDropped = metrics.counter("drover_router_traces_dropped_total", "Traces the hub did not take.");
  }

  began(): void {
    this.#inFlight += 1;
  }

  /** `status` is left out for a client that went away before an answer. */
  ended(status: number | undefined): void {
    this.#inFlight -= 1;
    this.answered(status);
  }

  answered(status: number | undefined): void {
    if (status === undefined) this.#left();
    else this.#answers[Math.floor(status / 100) - 1]?.();
  }

  refused(code: RefusedCode): void {
    const known = this.#refusals.get(code);
    const count =
      known ??
      this.#metrics.counter("drover_router_refused_total", "Requests refused here, by reason.", { code });
    this.#refusals.set(code, count);
    count();
  }
}
