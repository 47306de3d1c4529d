import { beforeEach, describe, expect, it } from "@jest/globals";
import type { MachineStateName } from "#machines";
import { type Route, Uses } from "#routing";
import type { Link } from "../link.ts";
import type { LiveRoutes } from "./live-routes.ts";
import { Releases } from "./releases.ts";

const SERVICE = { protocol: "tcp", internalPort: 8080, ports: [] } as unknown as Route["services"][number];

let routes: Map<string, Route>;
let uses: Uses;
let changed: (appName: string) => void;
let said: { subject: string; message: unknown }[];
let releases: Releases;

beforeEach(() => {
  routes = new Map();
  uses = new Uses();
  said = [];
  const live = {
    table: { get: (id: string) => routes.get(id), machinesOf: () => routes },
    uses,
    onChange: (listener: typeof changed) => {
      changed = listener;
    },
  } as unknown as LiveRoutes;
  const link = { publish: (subject: string, message: unknown) => said.push({ subject, message }) };
  releases = new Releases(live, link as unknown as Link, "r1");
});

function becomes(state: MachineStateName, more: Partial<Route> = {}): Route {
  const base = { machineId: "m1", appName: "app", hostId: "host-a", startId: "01START", services: [SERVICE] };
  const route = { ...base, state, ...more } as Route;
  routes.set(route.machineId, route);
  changed("app");
  return route;
}

const word = {
  subject: "load.host.host-a",
  message: { routerId: "r1", released: [{ machineId: "m1", startId: "01START" }] },
};

describe("a machine on its way down", () => {
  it.each(["stopping", "restarting", "updating", "suspending"] as const)(
    "%s is let go at once when nothing is under way to it",
    (state) => {
      becomes("started");
      expect(said).toEqual([]);
      becomes(state);
      expect(said).toEqual([word]);
      changed("app");
      expect(said).toEqual([word]);
    },
  );

  it("is let go when the last request has left it, and that is said again until it is down", () => {
    const route = becomes("started");
    uses.begin(route, 0);
    uses.begin(route, 0);
    becomes("stopping");
    uses.end("m1", 1);
    releases.tellAgain();
    expect(said).toEqual([]);
    uses.end("m1", 2);
    releases.tellAgain();
    expect(said).toEqual([word, word]);
    becomes("stopped");
    releases.tellAgain();
    expect(said).toHaveLength(2);
  });

  it("is not spoken of when it serves nothing, is killed, or is gone", () => {
    becomes("stopping", { services: [] });
    becomes("destroying");
    expect(said).toEqual([]);
    becomes("stopping");
    routes.delete("m1");
    releases.tellAgain();
    expect(said).toEqual([word]);
  });
});
