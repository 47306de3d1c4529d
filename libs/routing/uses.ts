import { type IdlePolicy, idlePolicyOf } from "./idle-policy.ts";
import type { Route } from "./route.ts";

/** What this router does with one machine. */
interface Use {
  inFlight: number;
  /** Its host has said since the machine was closed that it runs. */
  isOpen: boolean;
  /** Since when nobody has wanted it, monotonic milliseconds. */
  quietSinceMs: number;
  startId: string | undefined;
}

/**
 * What this router does with each machine. **A machine that may be stopped when idle is closed until its host has
 * answered a wake, and again before it is listed as idle** (`loadLeaseSchema`): so its host never stops it under a
 * request. Times are those of the monotonic clock.
 */
export class Uses {
  readonly #uses = new Map<string, Use>();
  #freed: (machineId: string) => void = () => undefined;

  /** `listener` hears of each machine that the last request under way to it has left. */
  onFreed(listener: (machineId: string) => void): void {
    this.#freed = listener;
  }

  inFlight(machineId: string): number {
    return this.#uses.get(machineId)?.inFlight ?? 0;
  }

  /** Whether a request may go to the machine without asking its host first. */
  isOpen(route: Route): boolean {
    return (
      idlePolicyOf(route.services).autostop === "off" || this.#uses.get(route.machineId)?.isOpen === true
    );
  }

  /** A request is on its way to the machine. Each ends with `end`. */
  begin(route: Route, nowMs: number): void {
    const use = this.#of(route, nowMs);
    use.inFlight += 1;
    use.quietSinceMs = nowMs;
  }

  end(machineId: string, nowMs: number): void {
    const use = this.#uses.get(machineId);
    if (use === undefined || use.inFlight === 0) return;
    use.inFlight -= 1;
    use.quietSinceMs = nowMs;
    if (use.inFlight === 0) this.#freed(machineId);
  }

  /** Its host is about to be asked to wake it: from now on it is not idle. */
  want(route: Route, nowMs: number): void {
    this.#of(route, nowMs).quietSinceMs = nowMs;
  }

  /** Its host has answered a wake, or cannot be asked and so stops nothing either. */
  open(route: Route, nowMs: number): void {
    const use = this.#of(route, nowMs);
    use.isOpen = true;
    use.quietSinceMs = nowMs;
  }

  /** Closes the machine when nobody has wanted it for as long as its policy says. True when it is idle from now on. */
  closeIfIdle(route: Route, nowMs: number): boolean {
    const policy: IdlePolicy = idlePolicyOf(route.services);
    if (policy.autostop === "off" || route.state !== "started") return false;
    const use = this.#of(route, nowMs);
    if (use.inFlight > 0 || nowMs - use.quietSinceMs < policy.autostopAfterMs) return false;
    use.isOpen = false;
    return true;
  }

  /** Forgets machines that are gone and that nothing is on its way to. */
  forget(isGone: (machineId: string) => boolean): void {
    for (const [machineId, { inFlight }] of this.#uses) {
      if (inFlight === 0 && isGone(machineId)) this.#uses.delete(machineId);
    }
  }

  #of({ machineId, startId }: Route, nowMs: number): Use {
    const known = this.#uses.get(machineId);
    if (known !== undefined) {
      // Whoever started it wants it.
      if (known.startId !== startId) known.quietSinceMs = nowMs;
      known.startId = startId;
      return known;
    }
    const made: Use = { inFlight: 0, isOpen: false, quietSinceMs: nowMs, startId };
    this.#uses.set(machineId, made);
    return made;
  }
}
