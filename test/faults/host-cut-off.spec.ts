import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { hostCalls } from "#contracts";
import { heldFrom } from "#event-log";
import { processesOf, until } from "../host/container-process.ts";
import { HostLab, labIds } from "../host/host-lab.ts";
import type { LabProcess } from "../host/lab-process.ts";

let lab: HostLab;
let agent: LabProcess;
beforeAll(async () => {
  lab = await HostLab.open(["a"]);
  await lab.scheduler();
  agent = await lab.agent("a");
}, 120_000);
afterAll(() => lab.close(), 60_000);

describe("F37: a host that is cut off from the hub", () => {
  it("restarts what crashes; on heal all its events arrive, in order, once", async () => {
    const machineId = labIds.machineId();
    await lab.create("a", { machineId, commandId: labIds.ulid(), config: { restart: { policy: "always" } } });
    await lab.settled("a", machineId);
    const place = await lab.place("a");
    const [first = 0] = processesOf(place, machineId);

    await lab.topology.hub.kill();
    process.kill(first, "SIGKILL");
    await until(() => processesOf(place, machineId).some((pid) => pid !== first));

    await lab.topology.hub.restart();
    await lab.topology.linked();
    const machine = await lab.settled("a", machineId);
    expect(machine).toMatchObject({ state: "started", lastExit: { exit_code: 137 } });
    const own = await ownEvents();
    expect(own.types).toEqual(expect.arrayContaining(["MachineExited", "MachineStarted"]));
    const held = await until(async () => {
      const events = await heldFrom(lab.scheduling, { hostId: "a", logId: own.logId }, 1, 500).catch(
        () => [],
      );
      return events.length >= own.ids.length ? events : undefined;
    });
    expect(held.map(({ sequence }) => sequence)).toEqual(own.ids.map((_, index) => index + 1));
    expect(held.map(({ headers }) => headers["Nats-Msg-Id"])).toEqual(own.ids);
  }, 180_000);

  it("starts while the hub is gone, and goes on alone with what it knows", async () => {
    const machineId = labIds.machineId();
    await lab.create("a", { machineId, commandId: labIds.ulid() });
    await lab.settled("a", machineId);
    await agent.kill();
    await lab.topology.hub.kill();
    agent = await lab.agent("a");
    expect(agent.isGone).toBe(false);
    const place = await lab.place("a");
    const [first = 0] = processesOf(place, machineId);
    process.kill(first, "SIGKILL");
    await until(() => processesOf(place, machineId).some((pid) => pid !== first));
    await lab.topology.hub.restart();
    await lab.topology.linked();
    expect((await lab.settled("a", machineId)).restartsAtMs).toHaveLength(1);
  }, 120_000);
});

/** The host's log as it stands on its own leaf. */
async function ownEvents(): Promise<{ logId: string; ids: string[]; types: string[] }> {
  const inspected = await lab.ask("a", hostCalls.inspect, {});
  if (inspected.kind === "refused") throw new Error(inspected.refusal.message);
  const [logId = ""] = Object.keys(inspected.answer.position);
  const events = await lab.ask("a", hostCalls.events, { logId, fromSequence: 1, limit: 500 });
  if (events.kind === "refused") throw new Error(events.refusal.message);
  return {
    logId,
    ids: events.answer.events.map(({ headers }) => headers["Nats-Msg-Id"] ?? ""),
    types: events.answer.events.map(({ body }) => (JSON.parse(body) as { type: string }).type),
  };
}
