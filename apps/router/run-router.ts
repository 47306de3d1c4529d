import type { BusConnection } from "#bus";
import { type RequestTrace, subjects } from "#contracts";
import { HealthServer, type ServiceLogger, type StartedService } from "#service";
import { BusWakeCaller } from "./proxy/bus-wake-caller.ts";
import { RequestProxy } from "./proxy/request-proxy.ts";
import { type RouterParts, routerParts } from "./router-parts.ts";
import { ageJson, routesJson } from "./routes/routes-json.ts";
import type { RouterSettings } from "./settings.ts";

/** How long a router that knows routes waits, before it serves, for what happened since. */
const CATCH_UP_MS = 500;
const RETRY_MS = 1_000;

/** Resolves once there is a connection; rejects when there will be none, or with the reason of `signal`. */
export type Connect = (signal: AbortSignal) => Promise<BusConnection>;

/**
 * Starts a router. With routes of an earlier life it serves whether or not there is a bus (F08, I11); without, when it
 * has caught up with the hub.
 */
export async function runRouter(
  settings: RouterSettings,
  logger: ServiceLogger,
  connect: Connect,
): Promise<StartedService> {
  const parts = routerParts(settings, logger);
  const { routes, leases, link, clock } = parts;
  let isServing = false;
  const health = healthOf(parts, () => isServing);
  await health.listen(settings.healthListen);

  await routes.restore();
  const stopping = new AbortController();
  const caughtUp = new AbortController();
  void routes.caughtUp.then(() => caughtUp.abort());
  const following = follow(parts, connect, stopping.signal);
  if (routes.areKnown) await clock.sleep(CATCH_UP_MS, caughtUp.signal).catch(() => undefined);
  else await Promise.all([following, routes.caughtUp]);

  const proxy = proxyOf(parts);
  await proxy.listen(settings.listen);
  isServing = true;
  void leases.run(stopping.signal);
  logger.info(
    { listen: settings.listen, machines: routes.table.all().size, ...ageJson(routes, clock) },
    "serving",
  );
  return {
    stop: async () => {
      await proxy.stop();
      stopping.abort();
      leases.tellLast();
      await routes.stop();
      await link.close();
      await health.close();
    },
  };
}

function proxyOf(parts: RouterParts): RequestProxy {
  const { link, clock, ids, settings } = parts;
  const { routerId } = settings;
  const wakeCaller = new BusWakeCaller(link, clock, ids, routerId);
  const sendTrace = (trace: RequestTrace) => link.publish(subjects.trace(routerId, trace.requestId), trace);
  return new RequestProxy({ ...parts, wakeCaller, sendTrace });
}

function healthOf({ settings, metrics, routes, clock }: RouterParts, isServing: () => boolean): HealthServer {
  const health = new HealthServer(metrics);
  health.require("routes", () => {
    if (!routes.areKnown) throw new Error("no routes are known yet");
  });
  health.require("proxy", () => {
    if (!isServing()) throw new Error("still starting");
  });
  health.tell("routes", () => ageJson(routes, clock));
  health.show("/routes", () => ({ router: settings.routerId, ...routesJson(routes, clock) }));
  return health;
}

/** Connects, and follows what happens. A key that the hub refuses ends a router that has nothing to serve, and no other. */
async function follow(parts: RouterParts, connect: Connect, signal: AbortSignal): Promise<void> {
  const { routes, link, ids, clock, logger } = parts;
  while (!signal.aborted) {
    try {
      const nc = await connect(signal);
      return await routes.follow(nc, link.attach(nc), ids);
    } catch (error) {
      if (!routes.areKnown) throw error;
      logger.error({ err: error }, "no connection: the last known routes are served");
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
}
