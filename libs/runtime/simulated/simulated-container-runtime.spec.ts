import { describe, expect, it } from "@jest/globals";
import { SystemClock } from "#kernel";
import {
  type ContainersUnderTest,
  containerRuntimeContract,
  type Program,
} from "../containers/container-runtime.contract.ts";
import type { LaunchSpec } from "../containers/container-runtime.ts";
import { SimulatedContainerRuntime } from "./simulated-container-runtime.ts";
import { SimulatedKernel } from "./simulated-kernel.ts";

function launchSpec(machineId: string, startId: string, program: Program): LaunchSpec {
  const args = program.kind === "exit" ? ["exit", String(program.code)] : [program.kind];
  return {
    ...{ machineId, startId, rootfsPath: "/rootfs", netnsPath: "/netns", hostname: machineId },
    ...{ addresses: [], resources: { cpuMillis: 62, memoryMib: 256 }, mounts: [], logPath: "/log" },
    process: { args, env: {}, cwd: "/", user: "", tty: false },
  };
}

function under(kernel: SimulatedKernel): ContainersUnderTest {
  return {
    open: async (faultPoint) => new SimulatedContainerRuntime(kernel.newLife(faultPoint), new SystemClock()),
    spec: async (machineId, startId, program) => launchSpec(machineId, startId, program),
    argsOf: ({ kind, ...more }) => [kind, ...Object.values(more).map(String)],
    serving: async () => {},
    runsOf: async (startId) =>
      [...kernel.containers.values()]
        .filter(({ spec }) => spec.startId === startId)
        .reduce((runs, container) => runs + container.runs, 0),
    close: async () => {},
  };
}

containerRuntimeContract("SimulatedContainerRuntime", async () => under(new SimulatedKernel()));

describe("SimulatedKernel", () => {
  it("lets an agent that crashed change nothing any more", async () => {
    const kernel = new SimulatedKernel();
    const world = under(kernel);
    const crashed = await world.open();
    kernel.crash();
    const spec = launchSpec("m", "s", { kind: "serve" });
    await expect(crashed.launch(spec, new AbortController().signal)).rejects.toThrow("crashed");
    expect(kernel.containers.size).toBe(0);
  });

  it("lets processes end while no agent is there", async () => {
    const kernel = new SimulatedKernel();
    const world = under(kernel);
    await (await world.open()).launch(launchSpec("m", "s", { kind: "serve" }), new AbortController().signal);
    kernel.crash();
    kernel.endProcess("m.s", { status: 137, oomKilled: true, exitedAtMs: 5 });
    expect(await (await world.open()).exitOf("m", "s")).toEqual({
      ...{ exit_code: 137, guest_signal: 9, oom_killed: true, requested_stop: false, exited_at_ms: 5 },
    });
  });
});
