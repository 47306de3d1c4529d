import { BusClient, connectBus } from "#bus";
import { SystemClock, SystemIds } from "#kernel";
import { makeLogger } from "#service";
import type { TestBusSettings } from "#testing";
import { LiveRoutes } from "../../apps/router/routes/live-routes.ts";

/** What a watcher tells: a start is routed to, since `atMs` on the clock that all processes share. */
export interface SeenRoute {
  readonly startId: string;
  readonly atMs: number;
}

/** Milliseconds of the machine's monotonic clock: the same one in every process. */
export function sharedMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A router's own routes in a process of their own, which tells its parent of each start that requests can go to. */
async function watchRoutes(bus: TestBusSettings, directory: string, appName: string): Promise<void> {
  const clock = new SystemClock();
  const ids = new SystemIds(clock);
  const nc = await connectBus(bus);
  const routes = new LiveRoutes(directory, clock, makeLogger("router"));
  const told = new Set<string>();
  routes.onChange(() => {
    const atMs = sharedMs();
    for (const { state, startId } of routes.table.machinesOf(appName).values()) {
      if (state !== "started" || startId === undefined || told.has(startId)) continue;
      told.add(startId);
      process.send?.({ startId, atMs } satisfies SeenRoute);
    }
  });
  await routes.follow(nc, new BusClient(nc, ids), ids);
  await routes.caughtUp;
  process.send?.("ready");
}

const [bus, directory, appName] = process.argv.slice(2);
if (process.send !== undefined && bus !== undefined && directory !== undefined && appName !== undefined) {
  await watchRoutes(JSON.parse(bus) as TestBusSettings, directory, appName);
}
