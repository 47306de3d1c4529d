import type { Service } from "#contracts";
import type { Route } from "./route.ts";
import { serviceAt } from "./service-at.ts";
import type { Uses } from "./uses.ts";

/** What a request asks for, and what this router knows of the world. */
export interface Wish {
  /** Port at the edge: 80 for HTTP, 443 for HTTPS. */
  readonly edgePort: number;
  /** Where the router stands. */
  readonly region: string;
  /** Machines that have failed this request already. */
  readonly avoid: Pick<ReadonlySet<string>, "has">;
  /** Hosts that are not heard: their machines come last. */
  readonly isSilent: (hostId: string) => boolean;
  /** Breaks ties: a number in [0, 1). */
  readonly random: () => number;
}

/** What is to become of a request. */
export type Choice =
  /** It goes to a machine. `wake`: all are busy, so one more is to be woken beside it. */
  | { readonly kind: "forward"; readonly route: Route; readonly service: Service; readonly wake?: Route }
  /** It is held while the machine's host is asked to have it running. */
  | { readonly kind: "wake"; readonly route: Route }
  /** It is held until a request ends: every machine has as many as it may have. */
  | { readonly kind: "full" }
  /**
   * `no_machine`: none serves this. `machine_cordoned`: those that do take no requests. `machine_stopped`: none runs, and none
   * may be started by a request.
   */
  | { readonly kind: "none"; readonly code: "no_machine" | "machine_cordoned" | "machine_stopped" };

/** Chooses among an app's machines: the least used one that runs, the one to wake, or a reason why there is none. */
export function choose(machines: Iterable<Route>, uses: Uses, wish: Wish): Choice {
  let open: Open | undefined;
  let asleep: Asleep | undefined;
  let isFull = false;
  let none: Choice & { kind: "none" } = { kind: "none", code: "no_machine" };
  for (const route of machines) {
    const service = wish.avoid.has(route.machineId) ? undefined : serviceAt(route.services, wish.edgePort);
    if (service === undefined || route.state === "destroying") continue;
    if (route.isCordoned) {
      if (none.code === "no_machine") none = { kind: "none", code: "machine_cordoned" };
      continue;
    }
    none = { kind: "none", code: "machine_stopped" };
    if (route.state === "started" && uses.isOpen(route)) {
      const inFlight = uses.inFlight(route.machineId);
      if (inFlight >= service.hardLimit) isFull = true;
      else open = better(open, { route, service, inFlight, ...placeOf(route, service, inFlight, wish) });
    } else {
      asleep = sooner(asleep, route, service, wish);
    }
  }
  if (open !== undefined) {
    const { route, service, isBusy } = open;
    const wake = isBusy && asleep !== undefined ? { wake: asleep.route } : {};
    return { kind: "forward", route, service, ...wake };
  }
  if (asleep !== undefined) return { kind: "wake", route: asleep.route };
  if (isFull) return { kind: "full" };
  return none;
}

interface Open {
  readonly route: Route;
  readonly service: Service;
  readonly inFlight: number;
  readonly isBusy: boolean;
  /** Lower is better, before all else. */
  readonly rank: number;
  readonly tie: number;
}

/** A host that is there goes before room to spare, and that before the own region. */
function placeOf(route: Route, service: Service, inFlight: number, wish: Wish) {
  const isBusy = inFlight >= service.softLimit;
  const rank =
    (wish.isSilent(route.hostId) ? 4 : 0) + (isBusy ? 2 : 0) + (route.region === wish.region ? 0 : 1);
  return { isBusy, rank, tie: wish.random() };
}

function better(best: Open | undefined, next: Open): Open {
  if (best === undefined) return next;
  const order = next.rank - best.rank || next.inFlight - best.inFlight || next.tie - best.tie;
  return order < 0 ? next : best;
}

interface Asleep {
  readonly route: Route;
  readonly rank: number;
}

/** How long a machine in this state takes to serve, in order; others cannot be woken. */
const WAKE_ORDER: Partial<Record<Route["state"], number>> = {
  // Runs, and is only closed.
  started: 0,
  starting: 1,
  restarting: 1,
  suspended: 2,
  stopped: 3,
  created: 3,
  stopping: 4,
  suspending: 4,
  creating: 5,
  updating: 5,
  failed: 6,
};

/** States in which a machine comes up although no request may start it. */
const COMES_UP: ReadonlySet<Route["state"]> = new Set(["started", "starting", "restarting"]);

/** Among equals the lowest id, so that several routers wake the same machine. */
function sooner(best: Asleep | undefined, route: Route, service: Service, wish: Wish): Asleep | undefined {
  const order = WAKE_ORDER[route.state];
  if (order === undefined || !(service.autostart || COMES_UP.has(route.state))) return best;
  const rank = (wish.isSilent(route.hostId) ? 16 : 0) + (route.region === wish.region ? 0 : 8) + order;
  if (best === undefined || rank < best.rank) return { route, rank };
  return rank === best.rank && route.machineId < best.route.machineId ? { route, rank } : best;
}
