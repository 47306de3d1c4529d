import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { HUB_SHORE, Islands, type ShownMachine } from "#testing";
import { MachinePrograms, PROGRAM_PORT } from "../plane/machine-programs.ts";
import { Plane, pause } from "../plane/plane.ts";
import type { PlaneRouter } from "../plane/plane-router.ts";
import { assertTyped } from "../plane/sure-create.ts";
import { IMAGE } from "../simulation/host-world.ts";

const HOSTS = ["host-a", "host-b"];
/** Longer than a host is silent before it counts as gone. */
const LONG_MS = 7_000;

interface Status {
  readonly hosts: readonly { readonly id: string; readonly status: string }[];
}

let islands: Islands;
let plane: Plane;
let router: PlaneRouter;
let programs: readonly MachinePrograms[];
/** Answers that a program has begun and not ended. */
const slow: ServerResponse[] = [];
/** A machine on each host, by its host. */
const machines = new Map<string, ShownMachine>();

beforeAll(async () => {
  islands = await Islands.make(HOSTS);
  const own = {
    "host-a": { subnet: "127.84", features: ["on=host-a"] },
    "host-b": { subnet: "127.85", features: ["on=host-b"] },
  };
  plane = await Plane.start(HOSTS, {}, own, islands);
  programs = plane.hosts.map(
    ({ kernel }) =>
      new MachinePrograms(kernel, (machineId) => (asked, answer) => {
        if (asked.url === "/slow") slow.push(answer);
        else answer.end(machineId);
      }),
  );
  router = await plane.startRouter();
  for (const hostId of HOSTS) {
    await plane.ask("POST", "/v1/apps", { name: appOn(hostId) });
    machines.set(hostId, await started(appOn(hostId), hostId));
  }
}, 60_000);
afterAll(async () => {
  await plane.stop();
  for (const each of programs) each.close();
  await islands.remove();
}, 60_000);

const appOn = (hostId: string) => `app-${hostId}`;
const machinesPath = (app: string) => `/v1/apps/${app}/machines`;

/** A new machine that has started: on that host, or on whichever takes it. */
async function started(app: string, hostId?: string): Promise<ShownMachine> {
  const service = { internal_port: PROGRAM_PORT, ports: [{ port: 80, handlers: ["http"] }] };
  const services = [{ ...service, autostop: "stop", autostop_after: "1s" }];
  const placement = hostId === undefined ? {} : { features: [`on=${hostId}`] };
  const config = { image: IMAGE, services, placement };
  const { status, body } = await plane.ask<ShownMachine>("POST", machinesPath(app), { config });
  expect(status).toBe(200);
  if (hostId !== undefined) expect(body.drover.host).toBe(hostId);
  expect(await plane.ask("GET", `${machinesPath(app)}/${body.id}/wait?state=started`)).toMatchObject({
    status: 200,
  });
  return body;
}

async function statuses(): Promise<Record<string, string>> {
  const { body } = await plane.ask<Status>("GET", "/drover/v1/status");
  return Object.fromEntries(body.hosts.map(({ id, status }) => [id, status]));
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(50);
}

/** What runs on a host, whatever anybody thinks. */
const runningOn = (hostId: string) =>
  [...plane.host(hostId).kernel.containers].filter(([, { exit, runs }]) => exit === undefined && runs > 0);

describe("F38: a link that carries one direction only", () => {
  it.each([
    ["the hub hears the host, which hears nothing", HUB_SHORE, "host-a"],
    ["the host hears the hub, which hears nothing", "host-a", HUB_SHORE],
  ])(
    "counts as broken when %s: nothing is placed there, stopped, moved or declared dead",
    async (_, from, to) => {
      const app = appOn("host-a");
      const machine = machines.get("host-a")!;
      expect(await router.get(`${app}.localhost`)).toMatchObject({ status: 200, body: machine.id });
      const answer = router.get(`${app}.localhost`, "/slow");
      while (slow.length === 0) await pause();
      const before = runningOn("host-a").map(([id]) => id);

      const heal = await islands.cut(from, to);
      try {
        await until(async () => (await statuses())["host-a"] === "unreachable");
        // Once it is gone it stays so: no word of it comes through that would make it flap.
        for (const endsAtMs = performance.now() + LONG_MS; performance.now() < endsAtMs; await pause(500)) {
          expect(await statuses()).toEqual({ "host-a": "unreachable", "host-b": "ok" });
        }
        // A command may reach the host though no answer comes back: this one changes nothing.
        const commanded = await plane.ask("POST", `${machinesPath(app)}/${machine.id}/start`);
        assertTyped(commanded);
        expect([408, 503]).toContain(commanded.status);
        expect((await started(appOn("host-b"))).drover.host).toBe("host-b");
        expect(await plane.ask("GET", `${machinesPath(app)}/${machine.id}`)).toMatchObject({
          status: 200,
          body: { state: "started", host_status: "unreachable" },
        });
        expect(await plane.ownerOf(machine.id)).toBe("host-a");
        expect(runningOn("host-a").map(([id]) => id)).toEqual(before);
        expect(await router.get(`${app}.localhost`)).toMatchObject({ status: 200, body: machine.id });
      } finally {
        await heal();
      }
      for (const waiting of slow.splice(0)) waiting.end("at last");
      expect(await answer).toMatchObject({ status: 200, body: "at last" });
      await until(async () => (await statuses())["host-a"] === "ok");
      const event = await plane.ask("POST", `${machinesPath(app)}/${machine.id}/restart`);
      expect(event.status).toBe(200);
      await until(async () => runningOn("host-a").some(([id]) => !before.includes(id)));
    },
    60_000,
  );
});

describe("F39: two hosts that do not see each other, while the hub sees both", () => {
  it("are both there: machines are made on both and answered from both, and nobody is declared dead", async () => {
    const heals = [await islands.cut("host-a", "host-b"), await islands.cut("host-b", "host-a")];
    try {
      for (const endsAtMs = performance.now() + LONG_MS; performance.now() < endsAtMs; await pause(500)) {
        expect(await statuses()).toEqual({ "host-a": "ok", "host-b": "ok" });
      }
      const made = await Promise.all(HOSTS.map((hostId) => started("app-host-a", hostId)));
      expect(new Set(made.map(({ drover }) => drover.host))).toEqual(new Set(HOSTS));
      for (const hostId of HOSTS) {
        expect(await router.get(`${appOn(hostId)}.localhost`)).toMatchObject({ status: 200 });
      }
    } finally {
      for (const heal of heals) await heal();
    }
  }, 60_000);
});
