import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { EventType } from "#contracts";
import { hostsWithHistory, readControl, readHosts } from "#event-log";
import type { ShownMachine } from "#testing";
import { Plane, pause } from "../plane/plane.ts";
import { IMAGE } from "../simulation/host-world.ts";
import { appendForeign } from "./foreign-events.ts";

let plane: Plane;
beforeAll(async () => {
  plane = await Plane.start(["host-1"]);
  await plane.ask("POST", "/v1/apps", { name: "app" });
}, 60_000);
afterAll(() => plane.stop());

/** How many events of each type the logs hold. */
async function counts(): Promise<Record<string, number>> {
  const found: Partial<Record<EventType, number>> = {};
  const logs = [
    readControl(plane.hub),
    ...(await hostsWithHistory(plane.hub)).map((hostId) => readHosts(plane.hub, { hostId })),
  ];
  for (const log of logs) {
    for await (const decoded of log) {
      if (decoded.kind === "event") found[decoded.event.type] = (found[decoded.event.type] ?? 0) + 1;
    }
  }
  return found;
}

const goldenData = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../libs/contracts/golden/${name}`, import.meta.url), "utf8")).event
    .data;

describe("F05: a schema change", () => {
  it("rewrites nothing: whatever starts anew folds what stands there, and only an agent says that it has begun", async () => {
    const made = await plane.ask<ShownMachine>("POST", "/v1/apps/app/machines", { config: { image: IMAGE } });
    await plane.ask("GET", `/v1/apps/app/machines/${made.body.id}/wait?state=started`);
    const before = await counts();
    for (const order of [
      ["api", "scheduler", "volumes", "host-1"],
      ["host-1", "volumes", "scheduler", "api"],
    ]) {
      for (const party of order) await plane.replace(party);
      await plane.registered();
    }
    const { body } = await plane.ask<ShownMachine>("GET", `/v1/apps/app/machines/${made.body.id}`);
    expect(body.state).toBe("started");
    const { AgentEpochClaimed = 0, ...rest } = before;
    expect(await counts()).toEqual({ ...rest, AgentEpochClaimed: AgentEpochClaimed + 2 });
  }, 120_000);

  it("is read as it was meant where an old service still writes as it did, in either order of starts", async () => {
    const type = "IdempotencyKeyClaimed";
    const before = await counts();
    const [old, later] = [
      goldenData(`${type}.v1.json`),
      { ...goldenData(`${type}.v1.json`), keyHash: "later" },
    ];
    const known = () => plane.api.fleet.control.idempotencyKeys;
    await appendForeign(plane, { type, version: 1, data: old });
    while (!known().has(old.keyHash)) await pause();
    // The new one starts while the old one goes on writing.
    await plane.replace("api");
    await appendForeign(plane, { type, version: 1, data: later });
    while (!known().has("later")) await pause();
    expect(known().get(old.keyHash)).toMatchObject({ machineId: old.machineId, commandId: old.commandId });
    // From the log alone, without what was kept: the same, and nothing was written to bring it up to date.
    await plane.forgetApi();
    expect([...known().keys()]).toEqual(expect.arrayContaining([old.keyHash, "later"]));
    expect(await counts()).toEqual({ ...before, [type]: (before[type] ?? 0) + 2 });
  }, 60_000);

  it("of a newer release is set aside by name, and is there for that release: all else goes on", async () => {
    const before = await counts();
    await appendForeign(plane, { type: "AppCreated", version: 2, data: { name: "as new code has it" } });
    while (plane.api.projection.quarantine.count === 0) await pause();
    expect(plane.api.projection.quarantine.events).toMatchObject([
      { reason: "newer_version", type: "AppCreated" },
    ]);
    expect((await plane.ask("POST", "/v1/apps", { name: "another" })).status).toBe(201);
    const later = await counts();
    expect(later).toEqual({ ...before, AppCreated: (before.AppCreated ?? 0) + 1 });
  }, 60_000);
});
