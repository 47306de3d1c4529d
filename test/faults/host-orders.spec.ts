import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { MachineRequest } from "#contracts";
import { HostLab, labIds } from "../host/host-lab.ts";
import { NO_TRACES, tracesOf } from "../host/traces.ts";

let lab: HostLab;
beforeAll(async () => {
  lab = await HostLab.open(["a"]);
  await lab.agent("a");
}, 120_000);
afterAll(() => lab.close(), 60_000);

const START: MachineRequest = { type: "StartMachine" };
const STOP: MachineRequest = { type: "StopMachine" };
const RESTART: MachineRequest = { type: "RestartMachine" };
const DESTROY: MachineRequest = { type: "DestroyMachine", force: true };

/** Makes a machine and gives it these commands one after the other, without waiting for what becomes of them. */
async function given(...commands: readonly MachineRequest[]) {
  const machineId = labIds.machineId();
  await lab.create("a", { machineId, commandId: labIds.ulid() });
  const answers = [];
  for (const command of commands) answers.push((await lab.command("a", machineId, command)).kind);
  const machine = await lab.until("a", machineId, ({ operation, queued, state }) => {
    return operation === undefined && queued === undefined && state !== "created";
  });
  return { answers, state: machine.state, traces: tracesOf(await lab.place("a"), machineId) };
}

describe("F50: commands on a real machine that is in the middle of something", () => {
  it.each([
    ["a stop while it is created and started", [STOP], "stopped", 0],
    ["a start while it stops", [STOP, START], "started", 1],
    ["a stop, a start and a stop", [STOP, START, STOP], "stopped", 0],
    ["a restart while it starts, then a stop", [RESTART, STOP], "stopped", 0],
  ] as const)(
    "%s",
    async (_, commands, state, processes) => {
      const end = await given(...commands);
      expect(end.answers.every((kind) => kind === "answer")).toBe(true);
      expect(end.state).toBe(state);
      expect(end.traces.runningProcesses).toBe(processes);
    },
    60_000,
  );

  it.each([
    ["while it is created", []],
    ["while it stops", [STOP]],
    ["while a start waits for its stop", [STOP, START]],
    ["while it is destroyed", [DESTROY]],
  ])(
    "a destroy %s leaves nothing",
    async (_, before) => {
      const end = await given(...before, DESTROY);
      expect(end).toEqual({ answers: end.answers, state: "destroyed", traces: NO_TRACES });
    },
    60_000,
  );

  it("whatever comes after a destroy is refused, typed", async () => {
    const machineId = labIds.machineId();
    await lab.create("a", { machineId, commandId: labIds.ulid() });
    await lab.command("a", machineId, DESTROY);
    const answer = await lab.command("a", machineId, START);
    expect(answer).toMatchObject({ kind: "refused", refusal: { code: "wrong_state" } });
    const suspend = await lab.command("a", machineId, { type: "SuspendMachine" });
    expect(suspend).toMatchObject({ kind: "refused", refusal: { code: "unsupported" } });
    await lab.until("a", machineId, ({ state }) => state === "destroyed");
  }, 120_000);
});
