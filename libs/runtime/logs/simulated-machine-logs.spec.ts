import { describe, expect, it } from "@jest/globals";
import { machineLogsContract } from "./machine-logs.contract.ts";
import { SimulatedMachineLogs } from "./simulated-machine-logs.ts";

machineLogsContract("simulated", async () => {
  const logs = new SimulatedMachineLogs();
  return {
    logs,
    write: async (machineId, line) => logs.write(machineId, line),
    async close() {},
  };
});

describe("simulated machine logs", () => {
  it("keep so many lines and no more", async () => {
    const logs = new SimulatedMachineLogs(3);
    await logs.prepare("m1");
    for (let n = 0; n < 10; n += 1) logs.write("m1", { atMs: n, stream: "stdout", text: `${n}` });
    expect((await logs.read("m1", 10)).map(({ text }) => text)).toEqual(["7", "8", "9"]);
  });
});
