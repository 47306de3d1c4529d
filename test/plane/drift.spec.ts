import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { readControl } from "#event-log";
import { findMachine } from "#fleet";
import type { ShownMachine } from "#testing";
import { IMAGE } from "../simulation/host-world.ts";
import { Plane, pause } from "./plane.ts";

let plane: Plane;
beforeAll(async () => {
  plane = await Plane.start(["host-1"]);
  await plane.ask("POST", "/v1/apps", { name: "app" });
}, 60_000);
afterAll(() => plane.stop());

async function create(): Promise<string> {
  const made = await plane.ask<ShownMachine>("POST", "/v1/apps/app/machines", { config: { image: IMAGE } });
  await plane.ask("GET", `/v1/apps/app/machines/${made.body.id}/wait?state=started`);
  return made.body.id;
}

/** What CONTROL says of drift, in its order. */
async function drifts() {
  const found = [];
  for await (const decoded of readControl(plane.hub)) {
    if (decoded.kind === "event" && decoded.event.type === "DriftFound") found.push(decoded.event);
  }
  return found;
}

async function untilFound(count: number) {
  for (;;) {
    const found = await drifts();
    if (found.length >= count) return found;
    await pause(200);
  }
}

const viewed = () => {
  const [logId, log] = [...plane.api.projection.state.logs].find(([, { hostId }]) => hostId === "host-1")!;
  return { logId, log };
};
const shown = async (id: string) =>
  (await plane.ask<ShownMachine>("GET", `/v1/apps/app/machines/${id}`)).body;

describe("F07: one projection is silently wrong", () => {
  it("is compared with what the host says of itself, and right as long as nothing went wrong", async () => {
    await create();
    const before = plane.api.drift.compared;
    while (plane.api.drift.compared === before) await pause();
    expect(plane.api.drift.wrong).toBe(0);
    expect(await drifts()).toEqual([]);
  }, 60_000);

  it("is found where an event was not folded as it had to be, told as an event, and made anew from the log", async () => {
    const machineId = await create();
    const { logId, log } = viewed();
    const { machines } = log.host;
    // As a fold does that goes wrong for one event: nothing that comes later brings the right state back.
    machines.set(machineId, { ...machines.get(machineId)!, state: "stopped", ipv4: "10.9.9.9" });
    expect((await shown(machineId)).state).toBe("stopped");

    const [found] = await untilFound(1);
    expect(found?.data).toMatchObject({ projection: "api", hostId: "host-1", logId });
    expect(found?.data.fresh).toBe(found?.data.expected);
    expect(found?.data.found).not.toBe(found?.data.expected);
    expect(found?.data.differences).toEqual([
      expect.stringMatching(/^machines\.\d+\.ipv4$/),
      expect.stringMatching(/^machines\.\d+\.state$/),
    ]);
    expect((await shown(machineId)).state).toBe("started");
    expect(findMachine(plane.api.projection.state, machineId)?.machine?.ipv4).not.toBe("10.9.9.9");
    expect(plane.api.drift.wrong).toBe(1);
  }, 60_000);

  it("is found where a machine was lost, and follows what happens afterwards", async () => {
    const [kept, lost] = [await create(), await create()];
    viewed().log.host.machines.delete(lost);
    viewed().log.histories.drop(lost);
    const found = await untilFound(2);
    expect(found).toHaveLength(2);
    expect((await shown(lost)).state).toBe("started");
    await plane.ask("POST", `/v1/apps/app/machines/${lost}/stop`);
    await plane.ask("GET", `/v1/apps/app/machines/${lost}/wait?state=stopped`);
    expect((await shown(lost)).state).toBe("stopped");
    expect((await shown(kept)).state).toBe("started");
    // What was wrong is not kept: another API begins with what is right.
    await plane.replace("api");
    expect((await shown(lost)).state).toBe("stopped");
    const { drift } = plane.api;
    while (drift.compared === 0) await pause();
    expect(drift.wrong).toBe(0);
    expect(await drifts()).toHaveLength(2);
  }, 90_000);

  it("is compared while its log grows and never rests", async () => {
    const machineId = await create();
    const { drift } = plane.api;
    let isOver = false;
    const busy = (async () => {
      while (!isOver) {
        await plane.ask("POST", `/v1/platform/hosts/host-1/cordon`, { reason: "test", for: "1h" });
        await plane.ask("POST", `/v1/platform/hosts/host-1/uncordon`, {});
      }
    })();
    const before = drift.compared;
    while (drift.compared === before) await pause();
    isOver = true;
    await busy;
    expect(drift.wrong).toBe(0);
    expect((await shown(machineId)).state).toBe("started");
  }, 90_000);
});
