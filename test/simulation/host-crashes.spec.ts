import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type NatsServer, startNatsServer } from "#testing";
import { DeathPoint } from "./host-death.ts";
import { essenceOf, roomOf, SCENARIOS, type Scenario } from "./host-scenarios.ts";
import { SimulatedHost } from "./host-world.ts";

/** One in so many places is tried by default, another one for each scenario; all of them when asked. */
const STRIDE = process.env.DROVER_FULL === "1" ? 1 : 9;

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

interface Outcome {
  readonly places: readonly string[];
  readonly machine: unknown;
  readonly room: unknown;
  readonly runs: readonly number[];
  /** Steps that were written down in the operation's step list. */
  readonly steps: readonly string[];
}

/** Plays a scenario; at the given place the agent dies and another one takes over. */
async function play(scenario: Scenario, dieAt?: number): Promise<Outcome> {
  const host = await SimulatedHost.make(server);
  try {
    const point = new DeathPoint(dieAt);
    let agent = await host.boot(point);
    await scenario.before(agent);
    const steps: string[] = [];
    agent.agent.ledger.onEvent(({ data }) => {
      if ("operation" in data) steps.push(...(data.operation?.steps.map(({ name }) => name) ?? []));
    });
    point.arm();
    // A place before the command is written down leaves its caller without an answer.
    await Promise.race([scenario.act(agent, host), point.died]);
    if ((await agent.settled()) === undefined) {
      await host.bury();
      agent = await host.boot();
      await scenario.act(agent, host);
      await agent.settled();
    }
    const runs = [...host.everMade.values()].map((container) => container.runs);
    const outcome = { machine: essenceOf(agent.machine), room: await roomOf(host), runs, steps };
    await agent.agent.stop();
    return { ...outcome, places: point.passed };
  } finally {
    await host.remove();
  }
}

describe.each(SCENARIOS)("F22: $name, with an agent that is killed", (scenario) => {
  let calm: Outcome;
  beforeAll(async () => {
    calm = await play(scenario);
  });

  it("passes a place before and after each step's outcome", () => {
    const written = calm.places.filter((place) => place.startsWith("after log.take"));
    if (!scenario.fails) expect(written.length).toBeGreaterThanOrEqual(calm.steps.length);
    expect(calm.runs.every((runs) => runs <= 1)).toBe(true);
  });

  it("comes to the same end wherever it is killed, nothing done twice, nothing left over", async () => {
    const first = SCENARIOS.indexOf(scenario) % STRIDE;
    for (let at = first; at < calm.places.length; at += STRIDE) {
      const { machine, room, runs } = await play(scenario, at);
      const killed = `killed ${calm.places[at]}`;
      expect({ killed, machine, room }).toEqual({ killed, machine: calm.machine, room: calm.room });
      expect({ killed, twice: runs.filter((count) => count > 1) }).toEqual({ killed, twice: [] });
    }
  }, 600_000);
});
