import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { HostLogEvent, RecordedEvent } from "#contracts";
import { type Refusal, RefusedError } from "#kernel";
import type { Machine } from "#machines";
import { type NatsServer, startNatsServer } from "#testing";
import { MACHINE_ID, metaOf, type SimulatedAgent, SimulatedHost } from "./host-world.ts";

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

let host: SimulatedHost;
let agent: SimulatedAgent;
const events: RecordedEvent<HostLogEvent>[] = [];
beforeEach(async () => {
  host = await SimulatedHost.make(server);
  agent = await host.boot();
  events.splice(0);
  agent.agent.ledger.onEvent((event) => events.push(event));
});
afterEach(async () => {
  await agent.agent.stop();
  await host.remove();
});

let commands = 0;

/** A router's wake, for a request of the given id. */
async function wake(
  more: { requestId?: string; deadlineMs?: number; machineId?: string; routerId?: string } = {},
) {
  commands += 1;
  const { requestId = "REQUEST", deadlineMs = 10_000, machineId = MACHINE_ID, routerId = "r1" } = more;
  const meta = { ...metaOf(`WAKE-${commands}`), correlationId: requestId, deadlineMs };
  const { machine } = await agent.agent.wakes.wake({ machineId, routerId }, meta);
  return machine as unknown as Machine;
}

/** Why a wake is refused. */
async function refusalOf(waking: Promise<unknown>): Promise<Refusal | undefined> {
  const thrown = await waking.catch((error: unknown) => error);
  return thrown instanceof RefusedError ? thrown.refusal : undefined;
}

async function stopped(): Promise<void> {
  await agent.create("CREATE");
  await agent.settled();
  await agent.command("STOP", { type: "StopMachine" });
  await agent.settled();
  events.splice(0);
}

const typesOf = (told: readonly RecordedEvent<HostLogEvent>[]) => told.map(({ type }) => type);

describe("a wake", () => {
  it("F33: a thousand of them, from three routers, are one start, and each is answered when it has started", async () => {
    await stopped();
    const waking = Array.from({ length: 1_000 }, (_, n) => wake({ routerId: `r${n % 3}` }));
    const machines = await Promise.all(waking);
    expect(new Set(machines.map(({ state }) => state))).toEqual(new Set(["started"]));
    expect(typesOf(events)).toEqual(["MachineStarting", "MachineStarted"]);
  });

  it("of a machine that runs changes nothing", async () => {
    await agent.create("CREATE");
    await agent.settled();
    events.splice(0);
    expect((await wake()).state).toBe("started");
    expect(events).toEqual([]);
  });

  it("joins the start that a create owes", async () => {
    await agent.create("CREATE");
    expect((await wake()).state).toBe("started");
    expect(typesOf(events).filter((type) => type === "MachineStarted")).toHaveLength(1);
  });

  it("waits behind a stop, and its start belongs to its request", async () => {
    await agent.create("CREATE");
    await agent.settled();
    events.splice(0);
    const stop = agent.command("STOP", { type: "StopMachine" });
    expect((await wake({ requestId: "LATE" })).state).toBe("started");
    await stop;
    const caused = events.filter(({ header }) => header.correlationId === "LATE");
    expect(typesOf(caused)).toEqual(["MachineIntentQueued", "MachineStarting", "MachineStarted"]);
    expect(typesOf(events)).toContain("MachineStopped");
  });

  it("leaves its request's id in every event of its start", async () => {
    await stopped();
    await wake({ requestId: "R1" });
    expect(events.map(({ type, header }) => [type, header.correlationId])).toEqual([
      ["MachineStarting", "R1"],
      ["MachineStarted", "R1"],
    ]);
    expect(events[0]).toMatchObject({ data: { origin: "request" } });
  });
});

describe("a wake that cannot be", () => {
  it("is refused for machines that are not here, or not any more", async () => {
    expect(await refusalOf(wake({ machineId: "unknown" }))).toMatchObject({ code: "not_found" });
    await stopped();
    await agent.command("DESTROY", { type: "DestroyMachine", force: true });
    expect(await refusalOf(wake())).toMatchObject({ code: "wrong_state" });
  });

  it("I8: is refused where the host has no room for the machine any more, and says what there is", async () => {
    await agent.agent.stop();
    await host.remove();
    host = await SimulatedHost.make(server, { capacity: { cpuMillis: 1_000, memoryMib: 256 } });
    agent = await host.boot();
    await stopped();
    const guest = { cpu_kind: "shared", cpus: 1, memory_mb: 256 } as const;
    await agent.agent.placement.commit(
      {
        ...{ machineId: "6e82dd0a000002", appName: "app", name: "two", region: "local", instanceId: "01I" },
        ...{ config: { image: "registry.test/app:1", guest }, skipLaunch: false, epoch: 1 },
      },
      metaOf("OTHER"),
    );
    expect(await refusalOf(wake())).toMatchObject({
      code: "insufficient_capacity",
      details: { hostId: host.hostId, wanted: { memoryMib: 256 }, free: { memoryMib: 0 } },
    });
  });

  it("I9: ends by its deadline, and says what it waits for", async () => {
    await agent.create("CREATE", { init: { exec: ["stubborn"] } });
    await agent.settled();
    await agent.command("STOP", { type: "StopMachine", timeoutMs: 60_000 });
    const late = await refusalOf(wake({ deadlineMs: 300 }));
    expect(late).toMatchObject({
      code: "deadline_exceeded",
      message: expect.stringContaining("waits for await-exit"),
      details: { state: "stopping", waitingFor: { step: "await-exit" } },
    });
  });

  it("of a machine that does not start is told why, and is not tried again at once (F04)", async () => {
    await agent.create("CREATE", { init: { exec: ["missing"] } }, true);
    await agent.settled();
    expect(await refusalOf(wake())).toMatchObject({
      code: "effect_failed",
      message: expect.stringContaining("launch_failed"),
    });
    events.splice(0);
    const again = await Promise.all(Array.from({ length: 50 }, () => refusalOf(wake())));
    for (const refusal of again)
      expect(refusal).toMatchObject({ code: "effect_failed", retryAfterMs: 5_000 });
    expect(typesOf(events)).not.toContain("MachineStarting");
  });

  it("ends when the machine is told to stop while it waits", async () => {
    await agent.create("CREATE", { init: { exec: ["stubborn"] } });
    await agent.settled();
    await agent.command("STOP", { type: "StopMachine", timeoutMs: 50 });
    const waking = refusalOf(wake());
    await agent.command("STOP-2", { type: "StopMachine" });
    expect(await waking).toMatchObject({ code: "wrong_state", details: { state: "stopped" } });
  });
});
