import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Machine } from "#machines";
import { until } from "../host/container-process.ts";
import { HostLab, labIds } from "../host/host-lab.ts";
import type { LabProcess } from "../host/lab-process.ts";
import { NO_TRACES, type Traces, tracesOf } from "../host/traces.ts";

/** By default two places of each operation are tried, other ones each time; all of them when asked. */
const PLACES = process.env.DROVER_FULL === "1" ? Number.POSITIVE_INFINITY : 2;

let lab: HostLab;
beforeAll(async () => {
  lab = await HostLab.open(["a"]);
}, 120_000);
afterAll(() => lab.close(), 60_000);

interface Scenario {
  readonly name: string;
  /** How often the machine's process has begun in the end. */
  readonly runs: number;
  before(machineId: string): Promise<unknown>;
  act(machineId: string, commandId: string): Promise<unknown>;
}

/** A process says that it has begun a moment after it was launched; only then can it be told to end. */
const begun = async (machineId: string, runs: number) => {
  const place = await lab.place("a");
  await until(() => tracesOf(place, machineId).runs >= runs);
};
const create = (machineId: string, commandId: string) => lab.create("a", { machineId, commandId });
const started = async (machineId: string) => {
  expect((await create(machineId, labIds.ulid())).kind).toBe("answer");
  await lab.settled("a", machineId);
  await begun(machineId, 1);
};
const stopped = async (machineId: string) => {
  await started(machineId);
  expect((await lab.command("a", machineId, { type: "StopMachine" })).kind).toBe("answer");
  await lab.settled("a", machineId);
};

const SCENARIOS: readonly Scenario[] = [
  { name: "create", runs: 1, before: async () => {}, act: create },
  {
    name: "start",
    runs: 2,
    before: stopped,
    act: (machineId, commandId) => lab.command("a", machineId, { type: "StartMachine" }, commandId),
  },
  {
    name: "stop",
    runs: 1,
    before: started,
    act: (machineId, commandId) => lab.command("a", machineId, { type: "StopMachine" }, commandId),
  },
  {
    name: "restart",
    runs: 2,
    before: started,
    act: (machineId, commandId) => lab.command("a", machineId, { type: "RestartMachine" }, commandId),
  },
  {
    name: "update",
    runs: 2,
    before: started,
    act: (machineId, commandId) =>
      lab.command(
        "a",
        machineId,
        {
          type: "UpdateMachine",
          config: { image: lab.otherImage.reference },
          instanceId: "01SECOND",
          skipLaunch: false,
        },
        commandId,
      ),
  },
  {
    name: "destroy",
    runs: 0,
    before: started,
    act: (machineId, commandId) =>
      lab.command("a", machineId, { type: "DestroyMachine", force: true }, commandId),
  },
];

interface Outcome {
  readonly state: string;
  readonly imageDigest: string | undefined;
  readonly exitCode: number | undefined;
  readonly traces: Traces;
}

async function outcomeOf(machineId: string, { runs }: Scenario): Promise<Outcome> {
  const machine: Machine = await lab.settled("a", machineId);
  await begun(machineId, runs);
  const { state, imageDigest, lastExit } = machine;
  const traces = tracesOf(await lab.place("a"), machineId);
  return { state, imageDigest, exitCode: lastExit?.exit_code, traces };
}

/** Destroys a machine, and sees that nothing of it is left. */
async function clear(machineId: string): Promise<void> {
  await lab.command("a", machineId, { type: "DestroyMachine", force: true });
  await lab.until("a", machineId, ({ state }) => state === "destroyed");
  expect(tracesOf(await lab.place("a"), machineId)).toEqual(NO_TRACES);
}

describe.each(SCENARIOS)("F22: $name on real containers, with an agent that is killed -9", (scenario) => {
  it("comes to the same end wherever it is killed, nothing done twice, nothing left over", async () => {
    const trace = join(lab.folder, `${scenario.name}.places`);
    await rm(trace, { force: true });
    let agent = await lab.agent("a", ["--trace", trace]);
    const [machineId, commandId] = [labIds.machineId(), labIds.ulid()];
    await scenario.before(machineId);
    await agent.arm();
    await scenario.act(machineId, commandId);
    const calm = await outcomeOf(machineId, scenario);
    const places = (await readFile(trace, "utf8")).trim().split("\n");
    await clear(machineId);
    await agent.kill();
    for (const at of chosen(places.length)) {
      agent = await lab.agent("a", ["--die-at", String(at)]);
      const killed = `killed ${places[at]}`;
      expect({ killed, ...(await playKilled(scenario, agent)) }).toEqual({ killed, ...calm });
    }
  }, 1_800_000);
});

async function playKilled(scenario: Scenario, agent: LabProcess): Promise<Outcome> {
  const [machineId, commandId] = [labIds.machineId(), labIds.ulid()];
  await scenario.before(machineId);
  await agent.arm();
  await Promise.race([scenario.act(machineId, commandId), agent.gone]);
  await agent.gone;
  const next = await lab.agent("a");
  // Whoever got no answer asks again.
  await scenario.act(machineId, commandId);
  const outcome = await outcomeOf(machineId, scenario);
  await clear(machineId);
  await next.kill();
  return outcome;
}

function chosen(count: number): number[] {
  const all = Array.from({ length: count }, (_, index) => index);
  if (PLACES >= count) return all;
  return all.sort(() => labIds.random() - 0.5).slice(0, PLACES);
}
