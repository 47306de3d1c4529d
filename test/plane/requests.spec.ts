import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { ShownMachine } from "#testing";
import { IMAGE } from "../simulation/host-world.ts";
import { MachinePrograms, PROGRAM_PORT } from "./machine-programs.ts";
import { Plane } from "./plane.ts";
import type { PlaneRouter } from "./plane-router.ts";

const SLEEPY = {
  internal_port: PROGRAM_PORT,
  ports: [{ port: 80, handlers: ["http"] }],
  autostop: "stop",
  autostop_after: "500ms",
};

let plane: Plane;
let programs: MachinePrograms;
let routers: readonly PlaneRouter[];
beforeAll(async () => {
  plane = await Plane.start(["host-a"], { subnet: "127.83" });
  programs = new MachinePrograms(
    plane.host("host-a").kernel,
    (machineId) => (_, answer) => answer.end(machineId),
  );
  for (const name of ["shop", "web"]) await plane.ask("POST", "/v1/apps", { name });
  routers = [await plane.startRouter("router-1"), await plane.startRouter("router-2")];
}, 60_000);
afterAll(async () => {
  await plane.stop();
  programs.close();
});

async function make(app: string, service: object): Promise<string> {
  const config = { image: IMAGE, services: [service] };
  const { body } = await plane.ask<ShownMachine>("POST", `/v1/apps/${app}/machines`, { config });
  expect(await plane.ask("GET", `/v1/apps/${app}/machines/${body.id}/wait?state=started`)).toMatchObject({
    status: 200,
  });
  return body.id;
}

const waits = (app: string, id: string, state: string) =>
  plane.ask("GET", `/v1/apps/${app}/machines/${id}/wait?state=${state}&timeout=30`);

async function starts(app: string, id: string): Promise<readonly unknown[]> {
  const path = `/v1/apps/${app}/machines/${id}/events`;
  const { body } = await plane.ask<{ type: string; status: string }[]>("GET", path);
  return body.filter(({ type, status }) => type === "start" && status === "started");
}

describe("a machine that sleeps until a request needs it", () => {
  it("is stopped when no router has anything for it, except as many as shall run, and woken once for all who want it", async () => {
    const kept = { ...SLEEPY, min_machines_running: 1 };
    const [lowest, higher] = [await make("web", kept), await make("web", kept)].sort();
    const id = await make("shop", SLEEPY);
    await plane.ask("POST", "/v1/apps/shop/certificates", { hostname: "www.shop.example" });
    for (const [app, stopped] of [
      ["web", higher!],
      ["shop", id],
    ] as const) {
      expect(await waits(app, stopped, "stopped")).toMatchObject({ status: 200 });
    }
    // It has rested for longer than the last of those that were stopped.
    expect(await plane.ask("GET", `/v1/apps/web/machines/${lowest}`)).toMatchObject({
      body: { state: "started" },
    });

    expect(await starts("shop", id)).toHaveLength(1);
    const wanted = routers.flatMap((router) =>
      Array.from({ length: 20 }, (_, index) =>
        router.get(index % 2 ? "www.shop.example:8080" : "shop.localhost"),
      ),
    );
    for (const answer of await Promise.all(wanted)) expect(answer).toMatchObject({ status: 200, body: id });
    expect(await starts("shop", id)).toHaveLength(2);
  }, 60_000);
});
