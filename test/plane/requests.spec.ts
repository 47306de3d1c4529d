import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { ShownMachine } from "#testing";
import { IMAGE } from "../simulation/host-world.ts";
import { MachinePrograms, PROGRAM_PORT } from "./machine-programs.ts";
import { Plane } from "./plane.ts";
import type { AppAnswer, PlaneRouter } from "./plane-router.ts";

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

describe("a machine that is cordoned", () => {
  const LASTING = { internal_port: PROGRAM_PORT, ports: [{ port: 80, handlers: ["http"] }] };
  const order = (id: string, what: string) =>
    plane.ask("POST", `/v1/apps/blue/machines/${id}/${what}`).then(({ status, body }) => ({ status, body }));
  const ok = { status: 200, body: { ok: true } };
  /** As soon as both routers have heard of it. */
  const comesTo = async (status: number, body: string) => {
    for (const router of routers) {
      let answer: AppAnswer;
      do answer = await router.get("blue.localhost");
      while (answer.status !== status || !answer.body.includes(body));
    }
  };

  it("gets no new request, sleeping or not, until it is uncordoned; one may be made so", async () => {
    await plane.ask("POST", "/v1/apps", { name: "blue" });
    const blue = await make("blue", LASTING);
    await comesTo(200, blue);
    const config = { image: IMAGE, services: [LASTING] };
    const made = { config, skip_service_registration: true };
    const { body } = await plane.ask<ShownMachine>("POST", "/v1/apps/blue/machines", made);
    const green = body.id;
    expect(body).toMatchObject({ drover: { cordoned: true } });
    expect(await waits("blue", green, "started")).toMatchObject({ status: 200 });
    for (let times = 0; times < 10; times += 1) {
      for (const router of routers) expect((await router.get("blue.localhost")).body).toBe(blue);
    }

    expect(await order(green, "uncordon")).toEqual(ok);
    expect(await order(blue, "cordon")).toEqual(ok);
    expect(await order(blue, "cordon")).toEqual(ok);
    await comesTo(200, green);
    await plane.ask("POST", `/v1/apps/blue/machines/${blue}/stop`);
    await waits("blue", blue, "stopped");
    expect(await order(green, "cordon")).toEqual(ok);
    await comesTo(503, "machine_cordoned");
    expect(await plane.ask("GET", `/v1/apps/blue/machines/${blue}`)).toMatchObject({
      body: { state: "stopped", drover: { cordoned: true } },
    });

    expect(await order(blue, "uncordon")).toEqual(ok);
    await comesTo(200, blue);
  }, 60_000);

  it("is one that there is, and no secret update", async () => {
    expect(await order("d891234f0a2b3c", "cordon")).toMatchObject({ status: 404 });
    expect(await order("no.id", "uncordon")).toMatchObject({ status: 400 });
    const [{ id }] = (await plane.ask<[ShownMachine]>("GET", "/v1/apps/blue/machines")).body;
    const update = { config: { image: IMAGE }, skip_service_registration: true };
    expect(await plane.ask("POST", `/v1/apps/blue/machines/${id}`, update)).toMatchObject({
      ...{ status: 400, body: { error: expect.stringContaining("cordon the machine") } },
    });
  });
});
