import { describe, expect, it } from "@jest/globals";
import { subjects } from "#contracts";
import { refusal } from "#kernel";
import type { HostCommand } from "./command.ts";
import { HostDomain } from "./host-domain.ts";

const domain = new HostDomain({
  hostId: "host-a",
  region: "local",
  clusterId: "test",
  subnet: "10.213",
  agentVersion: "0.1.0",
  bootId: "boot",
});
const issued = { commandId: "c1", atMs: 1 };
const config = { image: "hello:1", env: { PASSWORD: "hunter2" } };

const commit: HostCommand = {
  ...issued,
  type: "CommitMachine",
  reservationId: "r1",
  machineId: "m1",
  epoch: 1,
  appName: "hello",
  name: "misty",
  instanceId: "i1",
  config,
  skipLaunch: false,
  origin: "user",
};
const update: HostCommand = {
  ...issued,
  type: "Machine",
  machineId: "m1",
  command: { ...issued, type: "UpdateMachine", origin: "user", config, instanceId: "i2", skipLaunch: false },
};
const recordExit: HostCommand = {
  ...issued,
  type: "Machine",
  machineId: "m1",
  command: {
    ...issued,
    type: "RecordExit",
    origin: "runtime",
    startId: "s1",
    exit: { exit_code: 0, guest_signal: 0, oom_killed: false, requested_stop: false, exited_at_ms: 1 },
  },
};

describe("HostDomain", () => {
  it.each([commit, update])("leaves configs out of the record of a decision", (command) => {
    const described = domain.describe(command);
    expect(JSON.stringify(described)).not.toContain("hunter2");
    expect(described.inputs).toMatchObject({ machineId: "m1", atMs: 1, origin: "user" });
    expect(described.inputs).not.toHaveProperty("commandId");
  });

  it("leaves the state of the log before out of it too", () => {
    const previous = { logId: "L0", sequence: 9, reason: "behind", state: { machines: [] } };
    const described = domain.describe(domain.openLog({ logId: "L1", previous }, issued));
    expect(described).toMatchObject({ command: "OpenLog", inputs: { logId: "L1" } });
    expect(described.inputs).not.toHaveProperty("previous");
  });

  it("names a machine's command by its own name", () => {
    expect(domain.describe(update).command).toBe("UpdateMachine");
  });

  it("decides the birth of a machine on the host and on the machine", () => {
    const machine = subjects.machine("host-a", "m1");
    expect(domain.aggregatesOf(commit)).toEqual([subjects.host("host-a"), machine]);
    expect(domain.aggregatesOf(update)).toEqual([machine]);
  });

  it("writes down what others were refused, not what the agent was", () => {
    const reason = refusal("wrong_state", "it is destroyed");
    expect(domain.recordRefusal(update, reason, 3, issued)).toEqual({
      ...issued,
      type: "RecordRefusal",
      refused: "UpdateMachine",
      machineId: "m1",
      code: "wrong_state",
      message: "it is destroyed",
      count: 3,
    });
    expect(domain.recordRefusal(recordExit, reason, 1, issued)).toBeUndefined();
  });
});
