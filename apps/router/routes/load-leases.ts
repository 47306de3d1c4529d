import { LOAD_LEASE_EVERY_MS, type LoadLease, subjects } from "#contracts";
import type { Clock } from "#kernel";
import { closeIdle } from "#routing";
import type { Link } from "../link.ts";
import type { LiveRoutes } from "./live-routes.ts";
import { Releases } from "./releases.ts";

/** What one message holds with room to spare. A machine that is not listed is not stopped. */
const MOST_LISTED = 40_000;

/** Tells each host, again and again, which of its machines this router has closed and lets be stopped. */
export class LoadLeases {
  readonly #routes: LiveRoutes;
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #identity: Pick<LoadLease, "routerId" | "incarnation">;
  readonly #releases: Releases;

  constructor(
    routes: LiveRoutes,
    link: Link,
    clock: Clock,
    identity: Pick<LoadLease, "routerId" | "incarnation">,
  ) {
    this.#routes = routes;
    this.#releases = new Releases(routes, link, identity.routerId);
    this.#link = link;
    this.#clock = clock;
    this.#identity = identity;
  }

  /** Machines are closed here even when nobody can be told: whether they may be used is then asked before their next use. */
  tell(): void {
    const idle = closeIdle(this.#routes.table, this.#routes.uses, this.#clock.monotonicMs());
    for (const [hostId, machineIds] of idle)
      this.#publish(hostId, { idle: machineIds.slice(0, MOST_LISTED) });
  }

  /** The last word: nothing is held or sent any more. */
  tellLast(): void {
    for (const hostId of this.#routes.table.hostIds) this.#publish(hostId, { idle: [], isLast: true });
  }

  /** Tells, also what was let go, and tends to the routes, until `signal` fires. A lease is a heartbeat: hence the timer. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.tell();
      this.#releases.tellAgain();
      this.#routes.tend();
      await this.#clock.sleep(LOAD_LEASE_EVERY_MS, signal).catch(() => undefined);
    }
  }

  #publish(hostId: string, said: Pick<LoadLease, "idle" | "isLast">): void {
    this.#link.publish(subjects.load(hostId), { ...this.#identity, ...said } satisfies LoadLease);
  }
}
