import type { Clock } from "#kernel";
import type { Route } from "#routing";
import type { LiveRoutes } from "./live-routes.ts";

/** How old the routes are, as `/readyz` and `/routes` say it. */
export function ageJson(routes: LiveRoutes, clock: Clock) {
  const { isStale, asOfMs, reason, logs } = routes.age();
  return {
    stale: isStale,
    ...(asOfMs !== undefined && { as_of: asOfMs, age_ms: isStale ? Math.max(0, clock.nowMs() - asOfMs) : 0 }),
    ...(reason !== undefined && { reason }),
    ...(logs.length > 0 && {
      logs_behind: logs.map(({ hostId, applied, known }) => ({ host: hostId, applied, known })),
    }),
  };
}

/** Everything that this router routes by: `GET /routes`. */
export function routesJson(routes: LiveRoutes, clock: Clock) {
  const { table, uses } = routes;
  const apps = [...table.byApp()].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...ageJson(routes, clock),
    hosts: [...table.hostIds].sort().map((id) => ({ id, silent: routes.isSilent(id) })),
    apps: apps.map(([name, machines]) => ({ name, machines: [...machines.values()].map(routeJson) })),
  };

  function routeJson(route: Route) {
    const { machineId: id, hostId: host, region, state, ipv4, startId } = route;
    const use = { in_flight: uses.inFlight(id), open: uses.isOpen(route) };
    const ports = route.services.map(({ internalPort }) => internalPort);
    return {
      ...{ id, host, region, state, ipv4, ports, ...use },
      ...(route.isCordoned && { cordoned: true }),
      ...(startId && { start_id: startId }),
    };
  }
}
