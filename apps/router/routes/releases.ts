import { type RouterRelease, subjects } from "#contracts";
import type { Route } from "#routing";
import type { Link } from "../link.ts";
import type { LiveRoutes } from "./live-routes.ts";

/** A process is about to be asked to end. One that is killed is not waited for. */
const ON_THE_WAY_DOWN: ReadonlySet<Route["state"]> = new Set([
  "stopping",
  "restarting",
  "updating",
  "suspending",
]);

type Run = RouterRelease["released"][number];

/** Tells hosts of machines on their way down that no request of this router is under way to them (`routerReleaseSchema`). */
export class Releases {
  readonly #routes: LiveRoutes;
  readonly #link: Link;
  readonly #routerId: string;
  /** By machine. */
  readonly #leaving = new Map<string, Route>();

  constructor(routes: LiveRoutes, link: Link, routerId: string) {
    this.#routes = routes;
    this.#link = link;
    this.#routerId = routerId;
    routes.onChange((appName) => this.#follow(appName));
    routes.uses.onFreed((machineId) => this.#tellIfFree(this.#leaving.get(machineId)));
  }

  /** Says again what is so: a word may be lost, and an agent that was started anew has heard none. */
  tellAgain(): void {
    for (const [machineId, route] of this.#leaving) {
      if (this.#routes.table.get(machineId) === route) this.#tellIfFree(route);
      else this.#leaving.delete(machineId);
    }
  }

  #follow(appName: string): void {
    for (const route of this.#routes.table.machinesOf(appName).values()) {
      const known = this.#leaving.get(route.machineId);
      if (!ON_THE_WAY_DOWN.has(route.state)) this.#leaving.delete(route.machineId);
      else if (known !== route && route.services.length > 0) {
        this.#leaving.set(route.machineId, route);
        this.#tellIfFree(route);
      }
    }
  }

  #tellIfFree(route: Route | undefined): void {
    if (route?.startId === undefined || this.#routes.uses.inFlight(route.machineId) > 0) return;
    const released: Run[] = [{ machineId: route.machineId, startId: route.startId }];
    this.#link.publish(subjects.load(route.hostId), {
      routerId: this.#routerId,
      released,
    } satisfies RouterRelease);
  }
}
