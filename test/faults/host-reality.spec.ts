import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { HostLogEvent, RecordedEvent } from "#contracts";
import { type NatsServer, startNatsServer } from "#testing";
import { processesOf, until } from "../host/container-process.ts";
import { HostLab, labIds } from "../host/host-lab.ts";
import { MACHINE_ID, SimulatedHost } from "../simulation/host-world.ts";

describe("F21: runtime and log disagree on what runs", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());

  /** What an agent writes down at its start on a host where `change` was made while none was there. */
  async function afterChange(change: (host: SimulatedHost, startId: string) => void) {
    const host = await SimulatedHost.make(server);
    const first = await host.boot();
    await first.create("CREATE", { restart: { policy: "always" } });
    const { startId = "" } = (await first.settled()) ?? {};
    const sequence = first.agent.ledger.log.lastSequence;
    await host.bury();
    change(host, startId);
    const second = await host.boot();
    await second.settled();
    const events: RecordedEvent[] = [];
    for await (const decoded of second.agent.ledger.log.read(sequence + 1)) {
      if (decoded.kind === "event") events.push(decoded.event);
    }
    const { machine } = second;
    await second.agent.stop();
    await host.remove();
    return { host, startId, machine, events: events as RecordedEvent<HostLogEvent>[] };
  }

  it("what runs as the log says is adopted: nothing is done, nothing is written", async () => {
    const { events, machine, startId } = await afterChange(() => {});
    expect(events.map(({ type }) => type)).toEqual(["AgentEpochClaimed"]);
    expect(machine).toMatchObject({ state: "started", startId });
  });

  it.each([
    ["of a machine that the log does not know", "6e82dd0affffff", "OTHER"],
    ["of a start that the log does not know", MACHINE_ID, "OTHER"],
  ])("a container %s is reported and left alone", async (_, machineId, startId) => {
    const { host, events } = await afterChange(({ kernel }, ownStartId) => {
      const own = kernel.containers.get(`${MACHINE_ID}.${ownStartId}`)!;
      const spec = { ...own.spec, machineId, startId };
      kernel.containers.set(`${machineId}.${startId}`, { ...own, spec, pid: 77 });
    });
    expect(events.map(({ type }) => type)).toEqual(["AgentEpochClaimed", "UnknownContainerFound"]);
    expect(events[1]?.data).toMatchObject({ containerId: `${machineId}.${startId}` });
    expect(host.kernel.containers.get(`${machineId}.${startId}`)?.exit).toBeUndefined();
  });

  it("a machine whose process is gone without a trace has ended, and its restart policy decides", async () => {
    const { events, machine, startId } = await afterChange(({ kernel }) => kernel.containers.clear());
    expect(events[1]).toMatchObject({
      type: "MachineExited",
      data: { next: "restarting", exit: { exit_code: -1, requested_stop: false } },
    });
    expect(machine?.state).toBe("started");
    expect(machine?.startId).not.toBe(startId);
  });
});

describe("F21, I5: a real agent that comes back", () => {
  let lab: HostLab;
  beforeAll(async () => {
    lab = await HostLab.open(["a"]);
  }, 120_000);
  afterAll(() => lab.close(), 60_000);

  it("adopts what runs, and reads the exit code that nobody was there to see", async () => {
    const machineId = labIds.machineId();
    await lab.agent("a").then(async (agent) => {
      await lab.create("a", { machineId, commandId: labIds.ulid(), config: { restart: { policy: "no" } } });
      await lab.settled("a", machineId);
      await agent.kill();
    });
    const place = await lab.place("a");
    const [pid = 0] = processesOf(place, machineId);
    const agent = await lab.agent("a");
    expect(await lab.settled("a", machineId)).toMatchObject({ state: "started" });
    expect(processesOf(place, machineId)).toEqual([pid]);

    await agent.kill();
    process.kill(pid, "SIGTERM");
    await until(() => !existsSync(`/proc/${pid}`));
    const third = await lab.agent("a");
    const machine = await lab.until("a", machineId, ({ state }) => state === "stopped");
    expect(machine.lastExit).toMatchObject({ exit_code: 0, requested_stop: false });
    await third.stop();
  }, 120_000);
});
