import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { hostCalls } from "#contracts";
import { lastHeld } from "#event-log";
import { processesOf, until } from "../host/container-process.ts";
import { HostLab, labIds } from "../host/host-lab.ts";

let lab: HostLab;
beforeAll(async () => {
  lab = await HostLab.open(["a"]);
  await lab.scheduler();
}, 120_000);
afterAll(() => lab.close(), 60_000);

async function made(): Promise<string> {
  const machineId = labIds.machineId();
  await lab.create("a", { machineId, commandId: labIds.ulid() });
  await lab.settled("a", machineId);
  return machineId;
}

async function end(): Promise<{ readonly logId: string; readonly sequence: number }> {
  const inspected = await lab.ask("a", hostCalls.inspect, {});
  if (inspected.kind === "refused") throw new Error(inspected.refusal.message);
  const [[logId, sequence] = ["", 0]] = Object.entries(inspected.answer.position);
  return { logId, sequence };
}

describe("a leaf whose log was restored from a backup", () => {
  it("is not gone on with: a new log, a typed alarm, nothing forgotten, nothing stopped", async () => {
    const { leaf } = lab.topology.hosts.get("a")!;
    const backup = join(lab.folder, "backup");
    let agent = await lab.agent("a");
    const before = await made();
    await agent.stop();
    await leaf.kill();
    await cp(leaf.storeDir, backup, { recursive: true });

    await leaf.restart();
    agent = await lab.agent("a");
    const after = await made();
    const old = await end();
    await until(async () => {
      const held = await lastHeld(lab.scheduling, { hostId: "a", logId: old.logId });
      return held !== undefined && held.sequence >= old.sequence;
    });
    const place = await lab.place("a");
    const pids = [before, after].map((machineId) => processesOf(place, machineId));
    await agent.kill();
    await leaf.kill();
    await rm(leaf.storeDir, { recursive: true });
    await cp(backup, leaf.storeDir, { recursive: true });
    await leaf.restart();
    await lab.topology.linked();

    await lab.agent("a");
    const present = await end();
    expect(present.logId).not.toBe(old.logId);
    for (const machineId of [before, after]) {
      expect(await lab.settled("a", machineId)).toMatchObject({ state: "started" });
    }
    expect([before, after].map((machineId) => processesOf(place, machineId))).toEqual(pids);
    const events = await lab.ask("a", hostCalls.events, {
      ...{ logId: present.logId, fromSequence: 1, limit: 100 },
    });
    const bodies = events.kind === "answer" ? events.answer.events.map(({ body }) => body) : [];
    expect(bodies.find((body) => body.includes('"alarm":"log_replaced"'))).toMatch(/behind/);
  }, 120_000);
});
