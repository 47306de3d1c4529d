import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { ShownMachine } from "#testing";
import { Plane, pause } from "../plane/plane.ts";
import { assertTyped } from "../plane/sure-create.ts";
import { IMAGE } from "../simulation/host-world.ts";

const MACHINES = "/v1/apps/app/machines";

let plane: Plane;
let machine: ShownMachine;
beforeEach(async () => {
  plane = await Plane.start(["host-a", "host-b"]);
  await plane.ask("POST", "/v1/apps", { name: "app" });
  machine = (await plane.ask<ShownMachine>("POST", MACHINES, { config: { image: IMAGE } })).body;
  expect(await plane.ask("GET", path("/wait?state=started"))).toMatchObject({ status: 200 });
}, 60_000);
afterEach(() => plane.stop());

const path = (more = "") => `${MACHINES}/${machine.id}${more}`;

/** Whether the process that runs is the one that ran at first. */
function running(): string[] {
  const { containers } = plane.host(machine.drover.host).kernel;
  return [...containers].filter(([, { exit }]) => exit === undefined).map(([id]) => id);
}

describe("F43: what answers reads is gone", () => {
  it("the hub with it: machines run on and are restarted, reads are the last ones known and say so, commands end typed", async () => {
    const before = running();
    await plane.topology.hub.kill();
    // The last word of the hub may still be on its way.
    while ((await plane.ask("GET", path())).headers["drover-stale"] !== "true") await pause(50);
    expect(await plane.ask("GET", path())).toMatchObject({ status: 200, body: { state: "started" } });
    expect(await plane.ask<ShownMachine[]>("GET", MACHINES)).toMatchObject({
      status: 200,
      headers: { "drover-stale": "true" },
      body: [{ id: machine.id }],
    });
    const commanded = await Promise.all([
      plane.ask("POST", path("/stop")),
      plane.ask("POST", MACHINES, { config: { image: IMAGE } }),
      plane.ask("GET", `${MACHINES}/d00000000000ff`),
    ]);
    for (const answer of commanded) {
      assertTyped(answer);
      expect(answer).toMatchObject({ status: 503, body: { status: "unreachable" } });
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    }
    expect(running()).toEqual(before);
    // A process that crashes meanwhile is started again by its own host (I11).
    plane
      .host(machine.drover.host)
      .kernel.endProcess(before[0]!, { status: 1, oomKilled: false, exitedAtMs: 1 });
    while (running().length === 0 || running()[0] === before[0]) await pause(20);

    await plane.topology.hub.restart();
    while ((await plane.ask("GET", path())).headers["drover-stale"] !== undefined) await pause(50);
    expect(await plane.ask("GET", path("/wait?state=started"))).toMatchObject({ status: 200 });
    const events = await plane.ask<{ type: string }[]>("GET", path("/events"));
    expect(events.body.map(({ type }) => type)).toContain("exit");
    expect(await plane.ask("POST", path("/stop"))).toMatchObject({ status: 200 });
  }, 120_000);

  it("the API's view alone: commands and creates work, reads fall back on the owner or say that they are stale", async () => {
    // No event reaches the API any more, and nobody tells it so.
    plane.watch = (party, { from, subject }) =>
      party === "api" && from === "server" && /^(evt|live)\./.test(subject) ? "lost" : "arrives";
    const stopped = await plane.ask("POST", path("/stop"));
    expect(stopped).toMatchObject({ status: 200, body: { ok: true } });
    const position = { "drover-position": stopped.headers["drover-position"] as string };
    expect(await plane.ask("GET", path(), undefined, position)).toMatchObject({
      status: 200,
      headers: { "drover-stale": "true" },
    });
    expect(await plane.ask("GET", path("/wait?state=stopped&timeout=5"))).toMatchObject({
      status: 200,
      body: { state: "stopped" },
    });

    const made = await plane.ask<ShownMachine>("POST", MACHINES, {
      name: "unseen",
      config: { image: IMAGE },
    });
    expect(made.status).toBe(200);
    expect(await plane.ask("GET", `${MACHINES}/${made.body.id}`)).toMatchObject({
      status: 200,
      body: { name: "unseen" },
    });
    expect(await plane.ask("DELETE", `${MACHINES}/${made.body.id}?force=true`)).toMatchObject({
      status: 200,
    });
  }, 120_000);

  it("all that the API ever folded: it is only a view, and folds again", async () => {
    await plane.ask("POST", path("/stop"));
    await plane.ask("GET", path("/wait?state=stopped"));
    const before = await plane.ask("GET", path());
    await plane.forgetApi();
    // A host says every second that it is there.
    while ((await plane.ask("GET", path())).body.host_status !== "ok") await pause(50);
    expect(await plane.ask("GET", path())).toMatchObject({ status: 200, body: before.body });
    expect(await plane.ask("POST", path("/start"))).toMatchObject({ status: 200 });
  }, 120_000);
});
