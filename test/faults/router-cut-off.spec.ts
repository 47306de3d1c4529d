import { cp, rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { cutPort, type ShownMachine } from "#testing";
import { MachinePrograms, PROGRAM_PORT } from "../plane/machine-programs.ts";
import { Plane, pause } from "../plane/plane.ts";
import type { AppAnswer, PlaneRouter } from "../plane/plane-router.ts";
import { IMAGE } from "../simulation/host-world.ts";

const SERVICE = { internal_port: PROGRAM_PORT, ports: [{ port: 80, handlers: ["http"] }] };

let plane: Plane;
let programs: readonly MachinePrograms[];
let router: PlaneRouter;
/** App of each machine that was ever made. */
const appOf = new Map<string, string>();

beforeEach(async () => {
  plane = await Plane.start(
    ["host-a", "host-b"],
    {},
    { "host-a": { subnet: "127.81" }, "host-b": { subnet: "127.82" } },
  );
  programs = plane.hosts.map(
    ({ kernel }) =>
      new MachinePrograms(
        kernel,
        (machineId) => (_, answer) => answer.end(`${appOf.get(machineId)} ${machineId}`),
      ),
  );
  for (const name of ["web", "shop"]) await plane.ask("POST", "/v1/apps", { name });
  router = await plane.startRouter();
}, 60_000);
afterEach(async () => {
  await plane.stop();
  for (const each of programs) each.close();
}, 60_000);

async function make(app: string, service: object = {}): Promise<ShownMachine> {
  const config = { image: IMAGE, services: [{ ...SERVICE, ...service }] };
  const { status, body } = await plane.ask<ShownMachine>("POST", `/v1/apps/${app}/machines`, { config });
  expect(status).toBe(200);
  appOf.set(body.id, app);
  return body;
}

async function started(app: string, service: object = {}): Promise<ShownMachine> {
  const machine = await make(app, service);
  const path = `/v1/apps/${app}/machines/${machine.id}/wait?state=started`;
  expect(await plane.ask("GET", path)).toMatchObject({ status: 200 });
  return machine;
}

async function destroy(app: string, { id }: ShownMachine): Promise<void> {
  expect(await plane.ask("DELETE", `/v1/apps/${app}/machines/${id}?force=true`)).toMatchObject({
    status: 200,
  });
}

const get = (app: string) => router.get(`${app}.localhost`);

/** Asks until the app answers with 200. */
async function answers(app: string): Promise<AppAnswer> {
  for (;;) {
    const answer = await get(app);
    if (answer.status === 200) return answer;
    await pause();
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause();
}

/** An answer of the app that was asked, or a typed refusal that says when to come again (I7). */
function assertOwn(app: string, { status, headers, body }: AppAnswer): void {
  if (status === 200) {
    expect(body.split(" ")[0]).toBe(app);
    return;
  }
  expect([status, JSON.parse(body)]).toEqual([
    503,
    { error: expect.any(String), status: expect.any(String) },
  ]);
  expect(Number(headers["retry-after"])).toBeGreaterThan(0);
}

describe("F08: the hub is gone", () => {
  it("its router serves the last known routes and says how old they are, after a crash of its own, too; hosts go on", async () => {
    const machine = await started("web");
    const drowsy = await started("shop", { autostop: "stop" });
    for (const app of ["web", "shop"]) assertOwn(app, await answers(app));
    expect(await router.readiness()).toMatchObject({ status: 200, routes: { stale: false } });
    await until(
      async () => (await router.hasSaved(machine.id, "started")) && router.hasSaved(drowsy.id, "started"),
    );

    await plane.topology.hub.kill();
    await until(async () => (await router.readiness()).routes?.stale === true);
    for (const app of ["web", "shop", "web"]) expect(await get(app)).toMatchObject({ status: 200 });
    // Its own host starts a process again that crashes meanwhile, at the address that it had.
    const { kernel } = plane.host(machine.drover.host);
    const [containerId] = [...kernel.containers].find(([, { spec }]) => spec.machineId === machine.id)!;
    kernel.endProcess(containerId, { status: 1, oomKilled: false, exitedAtMs: 1 });
    expect((await answers("web")).body).toBe(`web ${machine.id}`);

    await router.replace();
    const { status, routes } = await router.readiness();
    expect([status, routes]).toEqual([
      200,
      { stale: true, as_of: expect.any(Number), age_ms: expect.any(Number), reason: expect.any(String) },
    ]);
    for (const app of ["web", "shop"]) expect(await get(app)).toMatchObject({ status: 200 });
    expect(await get("nobody")).toMatchObject({ status: 404 });
    await pause(50);
    expect((await router.readiness()).routes?.age_ms).toBeGreaterThan(routes!.age_ms!);

    await plane.topology.hub.restart();
    await until(async () => (await router.readiness()).routes?.stale === false);
    await destroy("web", machine);
    await started("web");
    expect((await answers("web")).body).not.toBe(`web ${machine.id}`);
  }, 120_000);
});

describe("a hub that was restored from a backup", () => {
  it("takes no route away while all that it knows is read anew", async () => {
    const { hub } = plane.topology;
    const machine = await started("web");
    await answers("web");
    await hub.kill();
    const backup = `${hub.storeDir}.backup`;
    await cp(hub.storeDir, backup, { recursive: true });
    await hub.restart();
    await until(async () => (await router.readiness()).routes?.stale === false);
    expect(await plane.ask("POST", "/v1/apps", { name: "late" })).toMatchObject({ status: 201 });
    await until(async () => (await router.get("late.localhost")).status !== 404);

    await hub.kill();
    await rm(hub.storeDir, { recursive: true });
    await cp(backup, hub.storeDir, { recursive: true });
    let isRead = false;
    const client = (async () => {
      while (!isRead) {
        expect(await get("web")).toMatchObject({ status: 200, body: `web ${machine.id}` });
        await pause(1);
      }
    })();
    await hub.restart();
    await until(async () => (await router.get("late.localhost")).status === 404);
    isRead = true;
    await client;
  }, 120_000);
});

describe("F31: machines come and go while the router's link to the bus is cut", () => {
  it("and no request ever reaches another app's machine, whether the router knows of the cut or not", async () => {
    const apps = ["web", "shop"];
    const machines = new Map(apps.map((app) => [app, [] as ShownMachine[]]));
    for (const app of [...apps, ...apps]) machines.get(app)!.push(await started(app));
    for (const app of apps) await answers(app);
    await until(() => router.hasSaved(machines.get("shop")![1]!.id, "started"));

    let isOver = false;
    const seen: AppAnswer[] = [];
    const clients = apps.map(async (app) => {
      while (!isOver) {
        const answer = await get(app);
        assertOwn(app, answer);
        seen.push(answer);
        await pause(5);
      }
    });
    const heal = await cutPort(router.linkPort);
    try {
      for (let round = 0; round < 4; round += 1) {
        for (const app of apps) {
          await destroy(app, machines.get(app)!.shift()!);
          machines.get(app)!.push(await started(app));
        }
      }
      await until(async () => (await router.readiness()).routes?.stale === true);
      for (const app of apps) for (let count = 0; count < 5; count += 1) assertOwn(app, await get(app));
    } finally {
      await heal();
      isOver = true;
    }
    await Promise.all(clients);
    expect(seen.some(({ status }) => status === 503)).toBe(true);
    await until(async () => (await router.readiness()).routes?.stale === false);
    for (const app of apps) expect((await answers(app)).body.split(" ")[0]).toBe(app);
  }, 120_000);
});
