import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { hostCalls } from "#contracts";
import { until } from "../host/container-process.ts";
import { HostLab, labIds } from "../host/host-lab.ts";
import type { LabProcess } from "../host/lab-process.ts";

let lab: HostLab;
let agent: LabProcess;
beforeAll(async () => {
  lab = await HostLab.open(["a"]);
  agent = await lab.agent("a");
}, 120_000);
afterAll(() => lab.close(), 60_000);

/** What the host answers when it is asked to take a machine in. */
async function bid() {
  const resources = { cpuMillis: 62, memoryMib: 64 };
  const [answer] = await lab.bids({ machineId: labIds.machineId(), appName: "app", resources, ports: [] });
  return answer?.kind === "no-bid" ? answer.refusal : answer?.kind;
}

async function cordon(reason: string, forMs: number): Promise<number> {
  const expiresAtMs = Date.now() + forMs;
  const asked = await lab.ask("a", hostCalls.cordon, { kind: "cordon", owner: "ops", reason, expiresAtMs });
  expect(asked).toMatchObject({ kind: "answer" });
  return expiresAtMs;
}

/** Every end of a cordon that the host's log tells of. */
async function ends(): Promise<unknown[]> {
  const inspected = await lab.ask("a", hostCalls.inspect, {});
  if (inspected.kind === "refused") return [];
  const [logId = ""] = Object.keys(inspected.answer.position);
  const read = await lab.ask("a", hostCalls.events, { logId, fromSequence: 1, limit: 500 });
  if (read.kind === "refused") return [];
  const events = read.answer.events.map(({ body }) => JSON.parse(body) as { type: string; data: unknown });
  return events.filter(({ type }) => type === "HostUncordoned").map(({ data }) => data);
}

describe("F24: a host that is cordoned", () => {
  it("says so in its bid: by whom, why, and until when; what it has goes on, stops and starts", async () => {
    const machineId = labIds.machineId();
    await lab.create("a", { machineId, commandId: labIds.ulid() });
    await lab.settled("a", machineId);
    const expiresAtMs = await cordon("new disk", 3_600_000);
    expect(await bid()).toMatchObject({
      code: "cordoned",
      message: `host a is cordoned by ops until ${new Date(expiresAtMs).toISOString()}: new disk`,
    });
    expect((await lab.machine("a", machineId))?.state).toBe("started");
    await lab.command("a", machineId, { type: "StopMachine" });
    expect((await lab.settled("a", machineId)).state).toBe("stopped");
    expect(await lab.command("a", machineId, { type: "StartMachine" })).toMatchObject({ kind: "answer" });
    expect((await lab.settled("a", machineId)).state).toBe("started");

    await lab.ask("a", hostCalls.cordon, { kind: "uncordon", owner: "ops", reason: "done" });
    expect(await bid()).toBe("bid");
    expect(await ends()).toEqual([{ hostId: "a", owner: "ops", reason: "done" }]);
  }, 120_000);

  it("takes machines again when the time is over, also when its agent was away at that moment", async () => {
    await cordon("a moment", 1_000);
    await until(async () => (await ends()).length === 2);
    expect(await bid()).toBe("bid");

    const expiresAtMs = await cordon("a moment, unseen", 1_000);
    await agent.kill();
    await until(() => Date.now() > expiresAtMs);
    agent = await lab.agent("a");
    expect(await until(async () => ((await ends()).length === 3 ? await ends() : undefined))).toEqual([
      { hostId: "a", owner: "ops", reason: "done" },
      { hostId: "a", owner: "ops", reason: "expired" },
      { hostId: "a", owner: "ops", reason: "expired" },
    ]);
    expect(await bid()).toBe("bid");
  }, 120_000);
});
