import { type Clock, type Ids, SystemClock, SystemIds } from "#kernel";
import { Metrics, type ServiceLogger } from "#service";
import { Link } from "./link.ts";
import { LiveRoutes } from "./routes/live-routes.ts";
import { LoadLeases } from "./routes/load-leases.ts";
import type { RouterSettings } from "./settings.ts";

/** What the process is made of. */
export interface RouterParts {
  readonly settings: RouterSettings;
  readonly logger: ServiceLogger;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly metrics: Metrics;
  readonly link: Link;
  readonly routes: LiveRoutes;
  readonly leases: LoadLeases;
}

/** Wires what does not need the bus yet. */
export function routerParts(settings: RouterSettings, logger: ServiceLogger): RouterParts {
  const clock = new SystemClock();
  const ids = new SystemIds(clock);
  const metrics = new Metrics();
  const link = new Link(ids);
  const routes = new LiveRoutes(`${settings.dataDir}/checkpoints`, clock, logger);
  const identity = { routerId: settings.routerId, incarnation: ids.ulid() };
  const leases = new LoadLeases(routes, link, clock, identity);
  metrics.gauge("drover_router_routes", "Machines that are known.", () => routes.table.all().size);
  metrics.gauge("drover_router_routes_stale", "1 while something may have happened that is not known.", () =>
    Number(routes.age().isStale),
  );
  metrics.gauge(
    "drover_router_routes_as_of_seconds",
    "Unix time up to which nothing is missing.",
    () => (routes.age().asOfMs ?? Number.NaN) / 1_000,
  );
  metrics.gauge("drover_router_silent_hosts", "Hosts that are not heard.", () => silentHosts(routes));
  return { settings, logger, clock, ids, metrics, link, routes, leases };
}

function silentHosts(routes: LiveRoutes): number {
  return [...routes.table.hostIds].filter((hostId) => routes.isSilent(hostId)).length;
}
