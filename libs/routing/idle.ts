import { idlePolicyOf } from "./idle-policy.ts";
import type { Route } from "./route.ts";
import type { RouteTable } from "./route-table.ts";
import type { Uses } from "./uses.ts";

/**
 * Closes the machines that nobody wants, and says which may be stopped, by host: what a load lease lists. Every host of
 * the table has its list, if an empty one. `nowMs` is monotonic.
 */
export function closeIdle(
  table: Pick<RouteTable, "byApp" | "get" | "hostIds">,
  uses: Uses,
  nowMs: number,
): Map<string, string[]> {
  const idle = new Map<string, string[]>([...table.hostIds].map((hostId) => [hostId, []]));
  for (const machines of table.byApp().values()) {
    const kept = keptRunning(machines.values());
    for (const route of machines.values()) {
      // Whoever cordons a machine minds it: its time begins anew once requests may come.
      if (route.isCordoned) uses.want(route, nowMs);
      else if (!kept.has(route.machineId) && uses.closeIfIdle(route, nowMs))
        idle.get(route.hostId)?.push(route.machineId);
    }
  }
  uses.forget((machineId) => table.get(machineId) === undefined);
  return idle;
}

/**
 * The machines of one app that `min_machines_running` keeps up: of those that run in a region, the ones with the lowest
 * ids, so that all routers agree.
 */
export function keptRunning(machines: Iterable<Route>): Set<string> {
  const running = new Map<string, { least: number; ids: string[] }>();
  for (const { machineId, region, state, services, isCordoned } of machines) {
    if (state !== "started" || isCordoned) continue;
    const there = running.get(region) ?? { least: 0, ids: [] };
    there.least = Math.max(there.least, idlePolicyOf(services).minMachinesRunning);
    there.ids.push(machineId);
    running.set(region, there);
  }
  const kept = [...running.values()].flatMap(({ least, ids }) =>
    least === 0 ? [] : ids.sort().slice(0, least),
  );
  return new Set(kept);
}
