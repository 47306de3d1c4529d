import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { MachineRequest } from "#contracts";
import { RefusedError } from "#kernel";
import { type NatsServer, startNatsServer } from "#testing";
import { DeathPoint } from "./host-death.ts";
import { MACHINE_ID, OTHER_IMAGE, type SimulatedAgent, SimulatedHost } from "./host-world.ts";

const RUNS = process.env.DROVER_FULL === "1" ? 200 : 12;

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

/** What happens next to a host: somebody asks, a process ends, or the agent is killed so many places later. */
type Happening =
  | { readonly kind: "ask"; readonly command: MachineRequest; readonly waits: boolean }
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "kill"; readonly afterPlaces: number; readonly whileStarting: boolean };

const command: fc.Arbitrary<MachineRequest> = fc.oneof(
  fc.constant<MachineRequest>({ type: "StartMachine" }),
  fc.constant<MachineRequest>({ type: "StopMachine", timeoutMs: 5 }),
  fc.constant<MachineRequest>({ type: "RestartMachine", timeoutMs: 5 }),
  fc.constant<MachineRequest>({
    type: "UpdateMachine",
    config: { image: OTHER_IMAGE },
    instanceId: "01SECOND",
    skipLaunch: false,
  }),
  fc.boolean().map((force): MachineRequest => ({ type: "DestroyMachine", force })),
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("ask" as const), command, waits: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("exit" as const), status: fc.constantFrom(0, 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("kill" as const),
      afterPlaces: fc.nat(25),
      whileStarting: fc.boolean(),
    }),
  },
);

/** A host on which things happen. A dead agent is followed by another one as soon as something is asked of it. */
class Story {
  readonly host: SimulatedHost;
  agent!: SimulatedAgent;
  #point = new DeathPoint();
  #asked = 0;

  constructor(host: SimulatedHost) {
    this.host = host;
  }

  async begin(): Promise<void> {
    this.agent = await this.host.boot(this.#point);
    await this.agent.create("CREATE");
  }

  async happens(next: Happening): Promise<void> {
    if (next.kind === "exit") return this.#exit(next.status);
    if (next.kind === "kill") {
      const point = new DeathPoint(next.afterPlaces);
      if (next.whileStarting) point.arm();
      await this.#reboot(point);
      return point.arm();
    }
    this.#asked += 1;
    const asked = this.agent.command(`ASK-${this.#asked}`, next.command).catch((refused: unknown) => {
      expect(refused).toBeInstanceOf(RefusedError);
    });
    await Promise.race([asked, this.#point.died]);
    if (next.waits) await this.agent.settled();
  }

  /** All that is unfinished comes to its end. */
  async end(): Promise<void> {
    if ((await this.agent.settled()) !== undefined) return;
    await this.#reboot(new DeathPoint());
    await this.agent.settled();
  }

  async #reboot(point: DeathPoint): Promise<void> {
    await this.host.bury();
    this.#point = point;
    const agent = await Promise.race([this.host.boot(point), point.died]);
    if (agent === undefined) await this.#reboot(new DeathPoint());
    else this.agent = agent;
  }

  #exit(status: number): void {
    for (const [id, { exit }] of this.host.kernel.containers) {
      if (exit === undefined) this.host.kernel.endProcess(id, { status, oomKilled: false, exitedAtMs: 1 });
    }
  }
}

async function assertRight({ host, agent }: Story): Promise<void> {
  const machine = agent.machine!;
  const { containers, networks } = host.kernel;
  const standing = [...containers].filter(([, { exit }]) => exit === undefined);
  const running = standing.filter(([, { runs }]) => runs > 0).map(([id]) => id);
  expect(running).toEqual(machine.state === "started" ? [`${MACHINE_ID}.${machine.startId}`] : []);
  const ready = standing.filter(([, { runs }]) => runs === 0).map(([id]) => id);
  for (const id of ready) expect(id).toBe(`${MACHINE_ID}.${machine.rootfsKey}`);
  expect(["created", "started", "stopped", "failed", "destroyed"]).toContain(machine.state);
  expect([...host.everMade.values()].filter(({ runs }) => runs > 1)).toEqual([]);
  expect(agent.agent.ledger.state.holdings.promised.memoryMib).toBe(machine.state === "started" ? 256 : 0);
  if (machine.state === "destroyed") {
    const left = [containers.size, networks.size, host.layers.size, (await host.logs.list()).length];
    expect(left).toEqual([0, 0, 0, 0]);
  }
}

describe("F50, F22: commands, exits and deaths of the agent in any order", () => {
  it("end in a right and typed state, with nothing done twice and nothing left over", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 8 }), async (happenings) => {
        const story = new Story(await SimulatedHost.make(server));
        try {
          await story.begin();
          for (const next of happenings) await story.happens(next);
          await story.end();
          await assertRight(story);
          await story.agent.agent.stop();
        } finally {
          await story.host.remove();
        }
      }),
      { numRuns: RUNS },
    );
  }, 600_000);
});
