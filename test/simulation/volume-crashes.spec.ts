import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type NatsServer, startNatsServer } from "#testing";
import { DeathPoint } from "./host-death.ts";
import { SimulatedHost } from "./host-world.ts";
import { rested, storedOn, VOLUME_SCENARIOS, type VolumeScenario } from "./volume-scenarios.ts";

/** One in so many places is tried by default, another one for each scenario; all of them when asked. */
const STRIDE = process.env.DROVER_FULL === "1" ? 1 : 3;
/** More room for volumes than its disk of 64 GiB has: a store has the last word (F34). */
const CAPACITY = { cpuMillis: 4_000, memoryMib: 4_096, volumeMib: 131_072 };

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

interface Outcome {
  readonly stored: unknown;
  readonly ends: readonly [volumes: readonly string[], snapshots: readonly string[]];
  readonly places: readonly string[];
}

/** Plays a scenario; at the given place the agent dies and another one takes over. */
async function play(scenario: VolumeScenario, dieAt?: number): Promise<Outcome> {
  const host = await SimulatedHost.make(server, { capacity: CAPACITY });
  try {
    const point = new DeathPoint(dieAt);
    let agent = await host.boot(point);
    await scenario.before(agent, host);
    point.arm();
    await Promise.race([scenario.act(agent), point.died]);
    if (!(await rested(agent))) {
      await host.bury();
      agent = await host.boot();
      await scenario.act(agent);
      await rested(agent);
    }
    const stored = storedOn(agent, host);
    const { volumes, snapshots } = agent.agent.ledger.state;
    const states = (of: typeof volumes | typeof snapshots) => [...of.values()].map(({ state }) => state);
    await agent.agent.stop();
    return { stored, ends: [states(volumes), states(snapshots)], places: point.passed };
  } finally {
    await host.remove();
  }
}

describe.each(VOLUME_SCENARIOS)("F22: $name, with an agent that is killed", (scenario) => {
  it("comes to the same end wherever it is killed, nothing done twice, nothing left over", async () => {
    const calm = await play(scenario);
    expect(calm.ends).toEqual(scenario.ends);
    expect(calm.places.length).toBeGreaterThan(3);
    for (let at = VOLUME_SCENARIOS.indexOf(scenario) % STRIDE; at < calm.places.length; at += STRIDE) {
      const killed = `killed ${calm.places[at]}`;
      const { stored } = await play(scenario, at);
      expect({ killed, stored }).toEqual({ killed, stored: calm.stored });
    }
  }, 300_000);
});
