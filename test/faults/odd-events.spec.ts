import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { VOCABULARY } from "#contracts";
import { fleetHash } from "#fleet";
import type { ShownMachine } from "#testing";
import { HubHistory, Timeline } from "#timeline";
import { Plane, pause } from "../plane/plane.ts";
import { IMAGE } from "../simulation/host-world.ts";
import { appendForeign } from "./foreign-events.ts";

let plane: Plane;
beforeAll(async () => {
  plane = await Plane.start(["host-1", "host-2"]);
  await plane.ask("POST", "/v1/apps", { name: "app" });
}, 60_000);
afterAll(() => plane.stop());

async function create(): Promise<string> {
  const made = await plane.ask<ShownMachine>("POST", "/v1/apps/app/machines", { config: { image: IMAGE } });
  expect(made.status).toBe(200);
  await plane.ask("GET", `/v1/apps/app/machines/${made.body.id}/wait?state=started`);
  return made.body.id;
}

const quarantined = async () =>
  (await plane.ask<{ quarantined: number }>("GET", "/drover/v1/status")).body.quarantined;

describe("F01: one valid but odd event", () => {
  let wanted = 0;

  it("is set aside by every service and reported; whatever else happens is done", async () => {
    const before = await create();
    await appendForeign(plane, { type: "PlanetClaimed", version: 1, data: { planet: "mars" } });
    const newer = VOCABULARY.currentVersionOf("AppCreated") + 1;
    await appendForeign(plane, { type: "AppCreated", version: newer, data: { appName: "odd" } });
    // Of a type and version of today, so that nobody checks it again; and the fold throws at it.
    await appendForeign(plane, { type: "HostRegistered", version: 1, data: null });
    wanted = 3;
    while ((await quarantined()) < wanted) await pause();
    expect(plane.api.projection.quarantine.events.map(({ reason }) => reason)).toEqual([
      "unknown_type",
      "newer_version",
      "evolve_failed",
    ]);
    const after = await create();
    for (const id of [before, after]) {
      expect((await plane.ask<ShownMachine>("GET", `/v1/apps/app/machines/${id}`)).body.state).toBe(
        "started",
      );
    }
  }, 60_000);

  it("does not poison anybody again who starts anew, with or without what was kept", async () => {
    for (const party of ["api", "scheduler", "volumes", "host-1"]) {
      await plane.replace(party);
      await plane.registered();
      await create();
      expect(await quarantined()).toBe(wanted);
    }
    await plane.forgetApi();
    await create();
    expect(await quarantined()).toBe(wanted);
  }, 120_000);

  it("F10: does not abort a full rebuild, of which the time is measured; it is the state that the API has", async () => {
    const unreadable: string[] = [];
    const onUnreadable = (_: string, reason: string) => void unreadable.push(reason.split(/[:\s]/)[0]!);
    const timeline = new Timeline({ history: new HubHistory(plane.hub, onUnreadable), onUnreadable });
    const { projection } = plane.api;
    let world = await timeline.at({ kind: "now" });
    while (!(await projection.waitFor(world.position, 5_000))) world = await timeline.at({ kind: "now" });
    unreadable.length = 0;
    const begunAt = performance.now();
    world = await timeline.at({ kind: "now" });
    const tookMs = performance.now() - begunAt;
    const events = Object.values(world.position).reduce((sum, sequence) => sum + sequence, 0);
    expect(unreadable).toHaveLength(wanted);
    expect(fleetHash(world.view)).toBe(fleetHash(projection.state));
    // What the design allows is a million events in a minute; connecting to each log takes its time besides.
    expect(tookMs).toBeLessThan(2_000 + events);
  }, 60_000);
});
